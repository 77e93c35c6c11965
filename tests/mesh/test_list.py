"""dragonfly list on a real mesh: what is alive, what it says of itself, and what does not answer."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dragonfly.cli import main
from dragonfly.core.exceptions import DriplineMethodNotSupportedError
from dragonfly.core.service import Service
from dragonfly.subcommands.name_cache import Kind, NameCache
from dragonfly.testing import Mesh
from tests.mesh.hung import hanging
from tests.mesh.program import Program, dragonfly
from tests.mesh.raw import RawClient

STORE = """
name: my_store
endpoints:
  - name: my_price_list
    module: kv_store
    endpoints:
      - {name: peaches, module: kv_store_key, initial_value: 0.75, calibration: '2*{}', unit: $, log_interval: 30}
      - {name: chips, module: kv_store_key, initial_value: 1.75}
"""
INSTRUMENTS = Path(__file__).with_name("instruments.py")


class OldService(Service):
    """Knows no describe, as the original's services do not."""

    def describe(self) -> dict[str, Any]:
        raise DriplineMethodNotSupportedError("old_store(Service) has no <describe> command")


class Store(Service):
    """Describes itself in words."""

    def describe(self) -> Any:
        return {"values": ["a store"]}


@pytest.fixture
def store(mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DRAGONFLY_BROKER", mesh.address)
    monkeypatch.delenv("COLUMNS", raising=False)
    mesh.serve(STORE)
    return mesh


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["list", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_tree_has_class_and_unit(store: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == (
        "my_store         Service\n"
        "  my_price_list  kv_store\n"
        "    peaches      kv_store_key  $\n"
        "    chips        kv_store_key\n"
    )


def test_a_long_one_has_state_and_value(store: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    store.client.set("peaches.logging_status", "on")
    store.client.cmd("chips", "lock")
    *_, peaches, chips = listed(capsys, "-l").splitlines()
    assert peaches.split() == ["peaches", "kv_store_key", "logs", "1.5", "$"]
    assert chips.split()[:4] == ["chips", "kv_store_key", "locked", "by"]
    assert chips.split()[-1] == "1.75"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("pea*", ["my_store", "my_price_list", "peaches"]),
        ("my_price*", ["my_store", "my_price_list", "peaches", "chips"]),
        ("chip?", ["my_store", "my_price_list", "chips"]),
        ("my_store", ["my_store", "my_price_list", "peaches", "chips"]),
    ],
)
def test_a_pattern_shows_where_it_is_and_what_is_below(
    pattern: str, names: list[str], store: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [line.split()[0] for line in listed(capsys, pattern).splitlines()] == names


def test_json_is_an_object_a_line_for_each_that_was_asked_for(store: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = listed(capsys, "--json", "-l", "peaches").splitlines()
    peaches = json.loads(line)
    assert peaches.pop("value") == {
        "retcode": 0,
        "return_msg": "",
        "payload": {"value_cal": 1.5, "value_raw": "0.75"},
    }
    assert "log_interval" in peaches.pop("attributes")
    assert "ping" in peaches.pop("commands")
    assert peaches == {
        "name": "peaches",
        "class": "kv_store_key",
        "provider": "my_price_list",
        "service": "my_store",
        "description": None,
        "unit": "$",
        "limits": None,
        "get": True,
        "set": True,
        "lock": {"locked": False, "since": None, "user": None, "host": None, "lease": None},
        "logging": False,
    }
    names = [json.loads(line)["name"] for line in listed(capsys, "--json").splitlines()]
    assert names == ["my_store", "my_price_list", "peaches", "chips"]


def test_a_hung_instrument_is_shown_as_such_and_delays_nobody(
    store: Mesh, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    block = f"{{name: gate, module: GateEndpoint, module_path: {INSTRUMENTS}, directory: {tmp_path}}}"
    store.serve(f"name: lab\nendpoints:\n  - {block}\n")
    with hanging(store, tmp_path):
        began = time.monotonic()
        lines = listed(capsys, "-l", "--timeout", "1.5").splitlines()
        took = time.monotonic() - began
    assert {line.split()[0]: line.split()[2:] for line in lines} == {
        "lab": [],
        "gate": ["(no", "reply)"],
        "my_store": [],
        "my_price_list": [],
        "peaches": ["1.5", "$"],
        "chips": ["1.75"],
    }
    assert took < 4.0


def test_services_that_do_not_describe_themselves_are_listed(store: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    store.serve(OldService(name="old_store", broker=store.address))
    store.serve(Store(name="a_store", broker=store.address))
    first, *_, last = listed(capsys, "-l").splitlines()
    assert first.split(maxsplit=1) == ["a_store", "(describes itself in a form that is not understood)"]
    assert last.split(maxsplit=1) == ["old_store", "(cannot describe itself (ret:306))"]


def test_a_service_that_does_not_tell_its_name_is_counted(store: Mesh) -> None:
    with RawClient(store.address) as old:
        old.listen("nameless", "requests", "broadcast.#")
        running = Program(store.address, "list", "--quiet-time", "2")
        ping = old.next("nameless")
        assert ping is not None
        assert ping.properties.headers["probe"] is True
        reply = {"msgtype": 2, "retcode": 0, "return_msg": "", "payload": {"values": [None]}}
        body = json.dumps({**reply, "timestamp": "2024-01-01T00:00:00Z", "sender_info": {"hostname": "attic"}})
        properties = old.properties(correlation_id=ping.properties.correlation_id)
        old.publish(ping.properties.reply_to, body.encode(), properties)
        with running:
            lines = running.wait().stdout.splitlines()
        assert lines[-1].split(maxsplit=1) == ["?", "(a service on attic that does not tell its name)"]


def test_nobody_there_is_a_sentence_and_status_4(mesh: Mesh) -> None:
    done = dragonfly(mesh.address, "list")
    assert (done.status, done.stdout) == (4, "")
    assert done.stderr.endswith("-> no service answers: nobody is on this broker's mesh\n")
    assert len(done.stderr.splitlines()) == 1
    assert done.seconds < 5


def test_a_pattern_that_fits_nothing_is_a_sentence_and_status_4(
    store: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "plum*"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("-> nothing that is alive has a name like 'plum*'\n")


def test_no_broker_is_status_3(unused_address: str) -> None:
    assert dragonfly(unused_address, "list").status == 3


def test_it_is_left_out_of_the_statistics(store: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    before = store.client.get("my_store.statistics").payload
    listed(capsys)
    after = store.client.get("my_store.statistics").payload
    assert after["requests_ok"] == before["requests_ok"] + 1  # the first get


def test_completion_learns_the_names_with_their_attributes_and_commands(
    store: Mesh, capsys: pytest.CaptureFixture[str]
) -> None:
    listed(capsys, "chips")
    known = NameCache(store.address).read()
    assert set(known) == {"my_store", "my_price_list", "peaches", "chips"}
    peaches: Kind = known["peaches"]
    assert {"log_interval", "unit"} <= set(peaches.attributes)
    assert "log_interval" in peaches.settable
    assert "unit" not in peaches.settable
    assert "lock" in peaches.commands


def test_thousands_of_endpoints_are_listed_with_their_values(store: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    number = 2_000  # twice as many as are asked for at a time
    keys = [f"  - {{name: s{n}, module: kv_store_key, initial_value: {n}}}" for n in range(number)]
    store.serve("\n".join(["name: large", "endpoints:", *keys]))
    lines = listed(capsys, "-l", "large").splitlines()
    assert [line.split() for line in lines[1:]] == [[f"s{n}", "kv_store_key", str(n)] for n in range(number)]

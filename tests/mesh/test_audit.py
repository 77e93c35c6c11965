"""Who had what done: one record for each request that changes something, and no secret in any of them."""

from __future__ import annotations

import json
import logging
import signal
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import ServiceStartError
from dragonfly.core.service import Service
from dragonfly.implementations.key_value_store import kv_store, kv_store_key
from dragonfly.testing import Mesh
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.program import Program, dragonfly, serve
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

KEY = "0123456789abcdef0123456789abcdef"
HUSH = "hush-hush"
CONFIG = """
name: shop
{keys}
endpoints:
  - name: store
    module: kv_store
    endpoints:
      - {{name: peaches, module: kv_store_key, initial_value: 1, log_interval: 30}}
"""


class Vault(Endpoint):
    """Takes secrets."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.password = ""

    def on_set(self, value: Any, **secrets: Any) -> None: ...

    def login(self, user: str, **secrets: Any) -> None: ...


class Shop:
    """A service with an audit file, and what it wrote."""

    def __init__(self, mesh: Mesh, directory: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.path = directory / "audit.jsonl"
        self.caplog = caplog
        self.service = Service(name="shop", broker=mesh.address, audit_log=str(self.path))
        store = kv_store(name="store")
        store.add_endpoint(kv_store_key(name="peaches", initial_value=1, log_interval=30))
        self.service.add_endpoint(store)
        self.service.add_endpoint(Vault(name="vault"))
        mesh.serve(self.service)

    @property
    def records(self) -> list[str]:
        records = [record for record in self.caplog.records if record.name == "dragonfly.audit"]
        assert {record.levelname for record in records} <= {"INFO"}
        return [record.getMessage().partition("): ")[2] for record in records]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text(encoding="ascii").splitlines()]


@pytest.fixture
def shop(mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Shop:
    caplog.set_level(logging.DEBUG, "dragonfly")
    return Shop(mesh, tmp_path, caplog)


def test_each_request_that_changes_something_is_one_record_with_its_code(mesh: Mesh, shop: Shop) -> None:
    client = mesh.client
    client.set("peaches", 0.64)
    client.set("peaches.log_interval", -1)
    client.set("peaches.name", "plums")
    client.config("peaches", "log_interval", 5)
    client.cmd("peaches", "ping")
    client.cmd("peaches", "unlock")
    client.cmd("peaches", "no_such", 1, x=2)
    client.run("peaches", 1)
    client.send("store", "*IDN?")
    client.cmd("peaches", "lock", lockout_key=KEY)
    client.set("peaches", 5)
    client.set("peaches", 6, lockout_key="none")
    wanted = [
        "set peaches 0.64 -> 0",
        "set peaches.log_interval -1 -> 304",
        "set peaches.name 'plums' -> 306",
        "config peaches 'log_interval' 5 -> 0",
        "cmd peaches.ping -> 0",
        "cmd peaches.unlock -> 1",
        "cmd peaches.no_such 1 x=2 -> 304",
        "run peaches 1 -> 306",
        "send store '*IDN?' -> 0",
        "cmd peaches.lock -> 0",
        "set peaches 5 -> 307",
        "set peaches 6 -> 308",
    ]
    assert wait_until(lambda: len(shop.records) == len(wanted))
    assert shop.records == wanted
    lines = shop.lines
    info = client.get("peaches").sender_info
    assert {(line["user"], line["host"], line["exe"]) for line in lines} == {
        (info["username"], info["hostname"], info["exe"])
    }
    assert [line["retcode"] for line in lines] == [int(text.split(" -> ")[1]) for text in wanted]
    assert [line["operation"] for line in lines] == [text.split()[0] for text in wanted]


def test_what_only_reads_and_what_programs_ask_for_their_own_sake_is_no_record(mesh: Mesh, shop: Shop) -> None:
    mesh.client.get("peaches")
    mesh.client.get("peaches.no_such")
    mesh.client.config("peaches", "log_interval")
    with RawClient(mesh.address) as raw:
        body = {"msgtype": 3, "msgop": 9, "payload": {"values": []}, "sender_info": {}, "timestamp": ""}
        raw.publish("peaches.ping", json.dumps(body).encode(), raw.properties(headers={"probe": True}))
        assert raw.next() is not None
    mesh.client.set("peaches", 5)
    assert wait_until(lambda: bool(shop.records))
    assert shop.records == ["set peaches 5 -> 0"]
    assert len(shop.lines) == 1


def test_no_secret_is_in_a_record_the_file_or_what_the_handler_says(mesh: Mesh, shop: Shop) -> None:
    client = mesh.client
    assert client.cmd("shop", "lock", lockout_key=KEY).payload["key"] == KEY
    replies = [
        client.set("vault", 1, lockout_key=KEY, key=HUSH, nested={"deep": [{"auth_token": HUSH}]}),
        client.cmd("vault", "login", "alice", lockout_key=KEY, password=HUSH, token=[HUSH]),
        client.set("vault.password", HUSH, lockout_key=KEY),
        client.get("vault.password"),
        client.config("vault", "password", HUSH, lockout_key=KEY),
        client.cmd("vault", "unlock", KEY),
        client.cmd("vault", "lock", KEY),
        client.cmd("shop", "unlock", lockout_key=KEY),
    ]
    assert [reply.retcode for reply in replies] == [0, 0, 0, 0, 0, 304, 304, 0]
    assert wait_until(lambda: len(shop.records) == 8)
    assert "set vault 1 key='***' nested={'deep': [{'auth_token': '***'}]} -> 0" in shop.records
    assert "set vault.password '***' -> 0" in shop.records
    written = [shop.path.read_text(encoding="ascii")]
    written += [record.getMessage() for record in shop.caplog.records]
    assert any("vault.login got" in text for text in written)
    assert any("lockout-key" in text for text in written)
    for secret in (KEY, HUSH):
        assert [text for text in written if secret in text] == []


def test_a_malformed_request_is_a_record_and_one_that_is_none_is_not(mesh: Mesh, shop: Shop) -> None:
    fields = {"msgtype": 3, "msgop": 0, "payload": {"values": 5}, "sender_info": {"username": "old\nroot@lab1"}}
    with RawClient(mesh.address) as raw:
        for body in ({**fields, "payload": 7}, fields, {**fields, "msgop": 99}, {"msgtype": 2}):
            raw.publish("peaches", json.dumps({"timestamp": "", **body}).encode())
        assert [raw.next() is not None for _ in range(3)] == [True] * 3
    assert wait_until(lambda: len(shop.records) == 2)
    assert shop.records == ["set peaches 7 -> 303", "set peaches -> 303"]
    assert "old\\nroot@lab1@unknown" in "".join(record.getMessage() for record in shop.caplog.records)


def test_a_broadcast_is_a_record_of_each_service(mesh: Mesh, shop: Shop) -> None:
    mesh.client.request_all("broadcast.lock", 9, {"values": []}, lockout_key=KEY)
    assert wait_until(lambda: bool(shop.records))
    assert shop.records == ["cmd broadcast.lock -> 0"]


def test_a_file_that_cannot_be_written_is_one_sentence_and_no_service(
    mesh: Mesh, tmp_path: Path, broker: RunningBroker
) -> None:
    bad = tmp_path / "no" / "audit"
    sentence = f"shop: the audit_log {bad} cannot be written: No such file or directory"
    with pytest.raises(ServiceStartError) as caught:
        mesh.serve(CONFIG.format(keys=f"audit_log: {bad}"))
    assert str(caught.value) == sentence
    file = tmp_path / "shop.yaml"
    file.write_text(CONFIG.format(keys=f"audit_log: {bad}"), encoding="utf-8")
    done = dragonfly(broker.address, "serve", "-c", str(file))
    assert (done.status, done.stdout, done.stderr.count("\n")) == (6, "", 1)
    assert sentence in done.stderr


def test_a_full_disk_is_said_once_and_the_service_goes_on(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragonfly")
    mesh.serve(CONFIG.format(keys="audit_log: /dev/full"))
    for number in range(5):
        assert mesh.client.set("peaches", number).retcode == 0
    assert mesh.client.get("peaches").payload["value_raw"] == "4"
    critical = [record.getMessage() for record in caplog.records if record.levelno >= logging.CRITICAL]
    assert critical == ["the audit file /dev/full cannot be written: No space left on device"]
    assert wait_until(lambda: sum(record.name == "dragonfly.audit" for record in caplog.records) == 6)


def test_a_service_that_starts_again_goes_on_with_the_file(broker: RunningBroker, tmp_path: Path) -> None:
    path, file = tmp_path / "audit.jsonl", tmp_path / "shop.yaml"
    file.write_text(CONFIG.format(keys=f"audit_log: {path}"), encoding="utf-8")
    for value in ("5", "6"):
        with serve(broker.address, str(file)) as service:
            assert dragonfly(broker.address, "set", "peaches", value).status == 0
            assert_said(service, f"set peaches {value} -> 0")
            assert service.end(signal.SIGTERM).status == 0
    lines = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    assert [line["payload"]["values"] for line in lines] == [[5], [6]]


def assert_said(service: Program, text: str) -> None:
    service.wait_for("stderr", rf"\[INFO    \] dragonfly\.audit\(\d+\) -> \S+@\S+ \(.*\): {text}")

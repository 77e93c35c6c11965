"""The example files: each is served and does what its comments say; the tutorial's has what its docs highlight."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core.exceptions import DriplineDAQRunning, DriplineValueError
from dragonfly.core.provider import Provider
from dragonfly.core.service import Service
from dragonfly.loader import load
from dragonfly.loader.document import read_document
from dragonfly.loader.problem import Report
from dragonfly.loader.values import ValueReader
from dragonfly.testing import Mesh
from dragonfly.testing.clock import ManualClock
from tests.waiting import wait_until

EXAMPLES = Path(__file__).parent.parent / "examples"
TUTORIAL = EXAMPLES / "kv_store_tutorial.yaml"


def content(path: Path) -> dict[Any, Any]:
    report = Report(str(path))
    value = ValueReader(report).value(read_document(path), "")
    report.check()
    assert isinstance(value, dict)
    return value


def test_the_tutorials_file_has_40_lines_and_nothing_before_the_first() -> None:
    lines = TUTORIAL.read_text().splitlines()
    assert len(lines) == 40
    assert lines[0] == "name: my_store"
    assert all(line.strip() and "#" not in line for line in lines)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (1, 4, "my_store"),
        (5, 7, "my_price_list"),
        (8, 14, "peaches"),
        (15, 21, "chips"),
        (22, 27, "waffles"),
        (28, 40, "peaches_status"),
    ],
)
def test_the_tutorials_blocks_stand_in_the_lines_that_its_docs_highlight(first: int, last: int, name: str) -> None:
    lines = TUTORIAL.read_text().splitlines()
    assert lines[first - 1].strip().removeprefix("- ") == f"name: {name}"
    rest = lines[last:]
    assert not rest or rest[0].strip().startswith("- name: ")


def test_the_tutorials_file_holds_the_tutorials_price_list() -> None:
    key = {"module": "kv_store_key", "log_on_set": True}
    assert content(TUTORIAL) == {
        "name": "my_store",
        "module": "Spimescape",
        "broker": "localhost",
        "endpoints": [
            {
                "name": "my_price_list",
                "module": "kv_store",
                "endpoints": [
                    {
                        "name": "peaches",
                        "calibration": "2*{}",
                        "initial_value": 0.75,
                        "log_interval": 30,
                        "get_on_set": True,
                        **key,
                    },
                    {
                        "name": "chips",
                        "calibration": "times3({})",
                        "initial_value": 1.75,
                        "log_interval": 30,
                        "get_on_set": True,
                        **key,
                    },
                    {
                        "name": "waffles",
                        "calibration": "1.*{}",
                        "initial_value": 4.0,
                        "log_interval": 30,
                        **key,
                    },
                    {
                        "name": "peaches_status",
                        "initial_value": "CLOSE",
                        "calibration": {"CLOSE": "on", "OPEN": "off"},
                        "set_value_map": {1: "OPEN", 0: "CLOSE", "on": "OPEN", "off": "CLOSE"},
                        "set_value_lowercase": True,
                        **key,
                    },
                ],
            }
        ],
    }


def build(path: Path) -> Service:
    config = load(path)
    service = config.build_service()
    config.build_endpoints(service)
    return service


ALL = pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)


@ALL
def test_every_example_loads_and_builds(path: Path) -> None:
    assert build(path).name


@ALL
def test_every_example_is_served_and_all_in_it_answer_ping(
    path: Path, mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # what an example writes, it writes where it is started
    service = mesh.serve(path)
    for endpoint in service.subtree():
        assert mesh.client.cmd(endpoint.name, "ping").retcode == 0


def test_no_two_examples_but_the_stores_have_a_name_in_common() -> None:
    names = Counter(
        endpoint.name
        for path in EXAMPLES.glob("*.yaml")
        if not path.name.startswith("kv_store")
        for endpoint in build(path).subtree()
    )
    assert [name for name, count in names.items() if count > 1] == []


def told_by(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    told: list[tuple[str, Any]] = []
    send = service.send_alert

    def noted(routing_key: str, payload: Any) -> None:
        told.append((routing_key.partition(".")[2], payload))
        send(routing_key, payload)

    monkeypatch.setattr(service, "send_alert", noted)
    return told


def test_the_example_of_logging_tells_what_its_comments_say(
    mesh: Mesh, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = mesh.serve(EXAMPLES / "logging.yaml", clock=clock)
    told = told_by(service, monkeypatch)
    clock.advance(60)  # the first looks are spread over the intervals
    begun = [name for name, _ in told]
    assert begun.count("cryostat_pressure") >= 6
    assert (begun.count("cold_plate_temperature"), begun.count("helium_level")) == (1, 1)

    del told[:]
    mesh.client.set("cold_plate_temperature", 4.24)
    mesh.client.set("helium_level", 393)
    mesh.client.set("cold_plate_heater", 3)
    clock.advance(60)
    assert {name for name, _ in told} == {"cryostat_pressure", "cold_plate_heater"}
    mesh.client.set("cold_plate_temperature", 4.26)
    mesh.client.set("helium_level", 391)
    clock.advance(60)
    assert ("cold_plate_temperature", {"value_raw": "4.26"}) in told
    assert ("helium_level", {"value_cal": 97.75, "value_raw": "391"}) in told

    del told[:]
    clock.advance(600)
    assert [payload for name, payload in told if name == "cold_plate_temperature"] == [{"value_raw": "4.26"}]


def test_the_example_of_a_run_does_not_wait_for_its_end(mesh: Mesh, clock: ManualClock) -> None:
    mesh.serve(EXAMPLES / "data_taking.yaml", clock=clock)
    assert mesh.client.get("my_daq").payload == {"value_raw": 0.0}
    assert mesh.client.run("my_daq", duration=60).payload == {"values": [1]}
    clock.advance(20)
    assert mesh.client.get("my_daq").payload == {"value_raw": 40.0}
    assert mesh.client.run("my_daq", duration=60).retcode == DriplineDAQRunning.retcode
    clock.advance(40)
    assert mesh.client.run("my_daq", duration="60").payload == {"values": [2]}
    for wrong in (0, 601, "soon", None, float("nan")):
        assert mesh.client.run("my_daq", duration=wrong).retcode == DriplineValueError.retcode


def test_the_example_of_calls_leaves_the_heater_off(
    mesh: Mesh, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = mesh.serve(EXAMPLES / "setup_calls.yaml", clock=clock)
    assert mesh.client.get("furnace_valve").payload == {"value_raw": "closed"}
    assert mesh.client.get("furnace_temperature.log_interval").payload == {"values": [15]}
    mesh.client.set("furnace_heater", 100)
    told = told_by(service, monkeypatch)
    service.stop()
    assert told == [("furnace_heater", {"value_raw": "0"})]


@pytest.mark.parametrize(
    ("file", "endpoint", "answer"),
    [
        ("kv_store_tutorial.yaml", "peaches", {"value_cal": 1.5, "value_raw": "0.75"}),
        ("kv_store_tutorial.yaml", "chips", {"value_cal": 5.25, "value_raw": "1.75"}),
        ("kv_store_tutorial.yaml", "waffles", {"value_cal": 4.0, "value_raw": "4.0"}),
        ("kv_store_tutorial.yaml", "peaches_status", {"value_cal": "on", "value_raw": "CLOSE"}),
        ("kv_store.yaml", "peaches", {"value_cal": 1.5, "value_raw": "0.75"}),
    ],
)
def test_a_price_is_what_the_tutorial_says(file: str, endpoint: str, answer: dict[str, Any]) -> None:
    store = build(EXAMPLES / file).endpoints["my_price_list"]
    assert isinstance(store, Provider)
    assert store.endpoints[endpoint].on_get() == answer


def test_the_example_of_calls_switches_the_heater_off_when_nobody_can_reach_it(clock: ManualClock) -> None:
    with Broker() as broker, Mesh(broker.address) as mesh:
        service = mesh.serve(EXAMPLES / "setup_calls.yaml", clock=clock)
        mesh.client.set("furnace_heater", 100)
        store: Any = service.endpoints["furnace_store"]
        heater = store.endpoints["furnace_heater"]
        broker.stop()
        assert wait_until(lambda: service._life._is_away)
        clock.advance(59)
        assert heater.on_get() == {"value_raw": "100"}
        clock.advance(1)
        assert wait_until(lambda: heater.on_get() == {"value_raw": "0"})

"""Values that log themselves, on a real broker: what is asked for over the mesh, and what is heard of it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragonfly.loader import ConfigError
from dragonfly.testing import ManualClock, Mesh
from tests.mesh.ear import LATE, SENSORS, Ear, sensor


@pytest.fixture
def ear(mesh: Mesh) -> Iterator[Ear]:
    """Give somebody who listens."""
    with Ear(mesh.address) as ear:
        yield ear


TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"


def test_what_the_tutorials_reader_does_next(mesh: Mesh, clock: ManualClock, ear: Ear) -> None:
    service = mesh.serve(TUTORIAL, clock=clock)
    clock.advance(1000)
    assert ear.heard(service) == [], "logging does not start by itself"

    assert mesh.client.set("peaches", 0.64).payload == {"value_cal": 1.28, "value_raw": "0.64"}
    peaches = ("sensor_value.peaches", {"value_cal": 1.28, "value_raw": "0.64"})
    assert ear.heard(service) == [peaches]

    assert mesh.client.set("peaches.logging_status", "on").retcode == 0
    assert mesh.client.get("peaches.logging_status").payload == {"values": [True]}
    clock.advance(0)
    assert ear.heard(service) == [peaches]
    clock.advance(29.9)
    assert ear.heard(service) == []
    clock.advance(0.1)
    assert ear.heard(service) == [peaches]
    clock.advance(90)
    assert ear.heard(service) == [peaches] * 3
    assert mesh.client.set("peaches.logging_status", "off").retcode == 0
    clock.advance(90)
    assert ear.heard(service) == []

    assert mesh.client.set("peaches_status", "on").retcode == 0
    opened = {"value_cal": "off", "value_raw": "OPEN"}
    assert mesh.client.get("peaches_status").payload == opened
    assert ear.heard(service) == [("sensor_value.peaches_status", opened)]


def test_a_provider_switches_all_that_it_holds_and_says_so_of_each(mesh: Mesh, clock: ManualClock, ear: Ear) -> None:
    service = mesh.serve(TUTORIAL, clock=clock)
    reply = mesh.client.set("my_price_list.logging_status", "on")
    assert (reply.retcode, reply.return_msg) == (0, "not switched: peaches_status")
    off = "off (log_interval must be above 0 seconds to switch it on)"
    assert reply.payload == {"peaches": "on", "chips": "on", "waffles": "on", "peaches_status": off}
    shown = mesh.client.get("my_price_list.logging_status").payload["values"][0]
    assert shown == [["peaches", True], ["chips", True], ["waffles", True], ["peaches_status", False]]
    heard = []
    for _ in range(12):  # 7.5 s each
        clock.advance(0 if not heard else 7.5)
        heard.append(ear.names(service))
    assert heard == [["peaches"], ["chips"], ["waffles"], []] * 3

    for word in ("yes", "", 1, None, ["on"]):
        refused = mesh.client.set("my_price_list.logging_status", word)
        assert (refused.retcode, refused.payload) == (304, {"values": [None]})
        assert "must be start or on, stop or off, restart, true or false" in refused.return_msg
    assert mesh.client.get("my_price_list.logging_status").payload["values"][0] == shown

    assert mesh.client.set("my_store.logging_status", False).payload == dict.fromkeys(TUTORIAL_NAMES, "off")
    clock.advance(100)
    assert ear.heard(service) == []


TUTORIAL_NAMES = ("peaches", "chips", "waffles", "peaches_status")

# For each key values that are taken, with what a get shows then, and values that are not, with what was expected.
SECONDS = "must be a number of seconds"
NO_NUMBERS = (-1, "soon", "", None, True, [5], {"s": 5}, "nan", "inf", 10**400)
ATTRIBUTES: dict[str, tuple[dict[Any, Any], tuple[Any, ...], str]] = {
    "log_interval": ({10: 10.0, "2e1": 20.0, 0.5: 0.5}, NO_NUMBERS, SECONDS),
    "max_interval": ({60: 60.0, 0: 0.0}, NO_NUMBERS, SECONDS),
    "max_fractional_change": ({0.1: 0.1, 0: 0.0}, NO_NUMBERS, "must be a number"),
    "max_absolute_change": ({5: 5.0, 0: 0.0}, NO_NUMBERS, "must be a number"),
    "check_field": ({"value_raw": "value_raw", None: None}, ("", 5, True, ["a"]), "must be the name of an entry"),
    "alert_routing_key": ({"a.b": "a.b"}, ("", "a b", "*", "x" * 55, 5, None, []), "must be a text of 1 to 54 bytes"),
    "log_on_set": ({True: True, False: False}, (1, "on", None, []), "must be true or false"),
    "get_on_set": ({True: True, False: False}, (1, "on", None, []), "must be true or false"),
    "logging_status": (
        {"restart": True, "off": False, "start": True, "stop": False, "true": True, False: False, "ON": True},
        ("", "yes", " on", 1, 0, None, ["on"], {}),
        "must be start or on, stop or off, restart, true or false",
    ),
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_key_is_an_attribute_while_it_runs_and_a_wrong_value_changes_nothing(
    mesh: Mesh, clock: ManualClock, name: str
) -> None:
    taken, refused, expected = ATTRIBUTES[name]
    mesh.serve(sensor(log_interval=30, logging_status="on"), clock=clock)
    for value, shown in taken.items():
        assert mesh.client.set(f"volts.{name}", value).retcode == 0
        assert mesh.client.get(f"volts.{name}").payload == {"values": [shown]}
    for value in refused:
        reply = mesh.client.set(f"volts.{name}", value)
        assert (reply.retcode, reply.payload) == (304, {"values": [None]}), value
        assert reply.return_msg.startswith(f"volts: {name} {expected}"), reply.return_msg
        assert mesh.client.get(f"volts.{name}").payload == {"values": [shown]}


def test_without_an_interval_it_cannot_be_switched_on(mesh: Mesh, clock: ManualClock, ear: Ear) -> None:
    service = mesh.serve(sensor(), clock=clock)
    reply = mesh.client.set("volts.logging_status", "on")
    expected = "volts: log_interval must be above 0 seconds to switch it on"
    assert (reply.retcode, reply.return_msg) == (304, expected)
    clock.advance(100)
    assert mesh.client.get("volts.logging_status").payload == {"values": [False]}
    assert ear.heard(service) == []


def test_what_is_changed_while_it_runs_counts_at_once(mesh: Mesh, clock: ManualClock, ear: Ear) -> None:
    service = mesh.serve(sensor(log_interval=30, logging_status="on"), clock=clock)

    def events(seconds: float, **keys: Any) -> int:
        for name, value in keys.items():
            assert mesh.client.set(f"volts.{name}", value).retcode == 0
        clock.advance(seconds)
        return len(ear.heard(service))

    assert events(0) == 1
    assert events(40) == 1
    assert events(0, log_interval=5) == 1, "10 s are over since the last one"
    assert events(14.9) == 2
    assert events(15, log_interval=30) == 0
    assert events(20) == 1
    assert events(300, max_interval=90) == 3
    assert events(300, max_interval=0, max_fractional_change=0.1) == 0
    assert mesh.client.set("volts", 30).retcode == 0
    assert events(300) == 1
    assert events(300, log_interval=0) == 0
    assert mesh.client.get("volts.logging_status").payload == {"values": [False]}


def test_to_switch_on_twice_does_nothing_and_a_restart_begins_anew(mesh: Mesh, clock: ManualClock, ear: Ear) -> None:
    service = mesh.serve(sensor(log_interval=30), clock=clock)
    heard = []
    for word in ("on", "on", "restart", "start", "off", "stop", "restart"):
        assert mesh.client.set("volts.logging_status", word).retcode == 0
        clock.advance(20)
        heard.append(len(ear.heard(service)))
    assert heard == [1, 1, 1, 1, 0, 0, 1]


def test_logging_that_the_file_asks_for_begins_with_the_service(mesh: Mesh, clock: ManualClock, ear: Ear) -> None:
    config = json.loads(sensor(log_interval=30, logging_status=True))
    first = config["endpoints"][0]
    config["endpoints"] += [{**first, "name": "amps"}, {**first, "name": "ohms", "logging_status": "off"}]
    service = mesh.serve(json.dumps(config), clock=clock)
    clock.advance(0)
    assert ear.names(service) == ["volts"]
    clock.advance(15)
    assert ear.names(service) == ["amps"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"logging_status": "on"}, "logging_status is on, and log_interval, which it needs, is not above 0"),
        ({"logging_status": "yes", "log_interval": 5}, "logging_status must be start or on"),
        ({"max_absolute_change": -1}, "max_absolute_change must be a number"),
        ({"check_field": 5}, "check_field must be the name of an entry"),
        ({"limits": [5, 0]}, r"limits must be \[low, high\], and 5 is above 0"),
        ({"limits": 5}, r"limits must be a list \[low, high\]"),
        ({"unit": 5}, "unit must be a text"),
        ({"calibration": "kelvim({})"}, "unknown name 'kelvim'.*kelvin"),
        ({"calibration": "kelvin({}"}, "calibration .* cannot be read"),
        ({"calibration": "{}e-3"}, "calibration .* cannot be read"),
        ({"calibration": 5}, "calibration must be a text or a dict"),
    ],
)
def test_a_bad_key_is_an_error_when_the_file_is_loaded(mesh: Mesh, keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        mesh.serve(sensor(**keys))


def test_what_goes_wrong_once_does_not_end_the_logging(
    mesh: Mesh, clock: ManualClock, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    course = [1, "gone", "gone", "object", None, "OVLD", 2, 3]
    config = sensor("Course", course=course, calibration="2*{}", log_interval=30, logging_status="on")
    service = mesh.serve(config, clock=clock)
    clock.advance(29)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        clock.advance(30 * (len(course) - 1))
    told = [payload for _, payload in ear.heard(service)]
    assert told == [
        {"value_cal": 2, "value_raw": 1},
        {"value_raw": "OVLD"},
        {"value_cal": 4, "value_raw": 2},
        {"value_cal": 6, "value_raw": 3},
    ]
    ours = [record for record in caplog.records if record.name.startswith("dragonfly.core")]
    assert [record.levelname for record in ours] == ["ERROR", "ERROR", "WARNING", "WARNING"], caplog.messages
    assert "OSError: the instrument does not answer" in caplog.messages[0]
    assert SENSORS.name in caplog.messages[0], "where it arose"
    assert "the value cannot be carried by JSON" in caplog.messages[1]


def test_with_the_real_clock_events_come_at_their_times(mesh: Mesh, ear: Ear) -> None:
    mesh.serve(sensor(log_interval=0.2))
    began = time.monotonic()
    assert mesh.client.set("volts.logging_status", "on").retcode == 0
    arrived = []
    for _ in range(6):
        ear.next()
        arrived.append(time.monotonic() - began)
    assert mesh.client.set("volts.logging_status", "off").retcode == 0
    assert all(0.2 * number <= at < 0.2 * number + LATE for number, at in enumerate(arrived)), arrived

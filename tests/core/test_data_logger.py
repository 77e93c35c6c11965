"""When a value is broadcast, and the keys that say so."""

import itertools
import logging
import math
from typing import Any

import pytest

from dragonfly.core import codec
from dragonfly.core.constants import OP_SET
from dragonfly.core.exceptions import DriplineHardwareError, DriplineWarning
from dragonfly.core.message import AlertMessage
from tests.core.sensors import Plain, sensor, settable, told

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("keys", "values", "numbers"),
    [
        # neither: each event
        ({}, [1, 1, 1, 1], [0, 1, 2, 3]),
        ({}, ["a", "a", NAN, NAN, True, 0, 0, [], "x" * 1000], [0, 1, 2, 3, 4, 5, 6, 8]),
        ({"max_interval": 0, "max_fractional_change": 0}, [1, 1, 1], [0, 1, 2]),
        # after a time: at the event where it is reached
        ({"max_interval": 30}, [1] * 8, [0, 3, 6]),
        ({"max_interval": 25}, [1] * 8, [0, 3, 6]),
        ({"max_interval": 31}, [1] * 9, [0, 4, 8]),
        ({"max_interval": 5}, [1] * 3, [0, 1, 2]),
        ({"max_interval": 10}, [1] * 3, [0, 1, 2]),
        ({"max_interval": 30}, [1, 2, 3, 4], [0, 3]),  # a change alone tells nothing
        # by a change since the last broadcast, not since the last event
        ({"max_fractional_change": 0.1}, [100, 104, 108, 111, 111, 100, 99], [0, 3, 6]),
        ({"max_fractional_change": 0.1}, [0, 0, 0.001, 0.001, 0], [0, 2, 4]),
        ({"max_fractional_change": 0.1}, [-100, -105, -111, -100, 100], [0, 2, 4]),
        ({"max_absolute_change": 2}, [10, 12, 12.1, 10.1, 10, 13], [0, 2, 4, 5]),
        ({"max_absolute_change": 2}, [0, -2, -2.5], [0, 2]),
        # any of several
        ({"max_absolute_change": 50, "max_fractional_change": 0.1}, [100, 105, 111], [0, 2]),
        ({"max_absolute_change": 5, "max_fractional_change": 0.5}, [100, 104, 106], [0, 2]),
        ({"max_interval": 30, "max_absolute_change": 5}, [0, 9, 9, 9, 9, 9], [0, 1, 4]),
        # texts, numeric ones as numbers
        ({"max_fractional_change": 0.1}, ["100", "105", "111", "1.11e2"], [0, 2]),
        ({"max_fractional_change": 0.1}, ["OPEN", "OPEN", "CLOSE", "CLOSE"], [0, 2]),
        ({"max_fractional_change": 0.1}, [1, "OVLD", "OVLD", 1], [0, 1, 3]),
        # None is never told, and what was told before still counts
        ({}, [None, 1, None, 2], [1, 3]),
        ({"max_fractional_change": 0.1}, [None, None, 5, None, 5, 6], [2, 5]),
        ({"max_interval": 20}, [None, 1, None, None, 1], [1, 4]),
        # what no number comes near to
        ({"max_fractional_change": 0.1}, [NAN, NAN, 1, NAN, 1], [0, 2, 3, 4]),
        ({"max_fractional_change": 0.1}, [1, INF, INF, -INF, 1], [0, 1, 3, 4]),
        ({"max_absolute_change": 1}, ["nan", "nan", "1", "inf", "inf"], [0, 2, 3]),
        ({"max_absolute_change": 1}, [True, True, False, 0, 5], [0, 2, 4]),
        ({"max_fractional_change": 0.1}, [10**400, 10**400, 2 * 10**400], [0, 2]),
        # a list counts with its first element
        ({"max_absolute_change": 1}, [[1, 5], [1, 9], [3, 5]], [0, 2]),
        # the calibrated value is looked at, where there is one
        ({"max_absolute_change": 2, "calibration": "10*{}"}, [1, 1.1, 1.3], [0, 2]),
        ({"max_absolute_change": 2, "calibration": "10*{}", "check_field": "value_raw"}, [1, 1.3, 3.5], [0, 2]),
        ({"max_absolute_change": 2, "calibration": "10*{}", "check_field": "value_cal"}, [1, 1.1, 1.3], [0, 2]),
        ({"max_absolute_change": 2, "check_field": "value_cal"}, [1, 2, 3.5], [0, 2]),
        ({"max_absolute_change": 2, "check_field": "no_such"}, [1, 2, 3.5], [0, 2]),
        # a calibration that fails: the raw value is
        ({"max_fractional_change": 0.1, "calibration": "2*{}"}, [1, "OVLD", "OVLD", "x", 1], [0, 1, 3, 4]),
        ({"calibration": "2*{}"}, ["OVLD", "OVLD"], [0, 1]),
        # a remark is no failure
        ({}, [1, DriplineWarning("it drifts", result={"value_raw": 2}), 3], [0, 1, 2]),
        ({}, [1, DriplineWarning("it drifts", result=2), 3], [0, 1, 2]),
        ({}, [1, DriplineWarning("nothing new"), 3], [0, 2]),
    ],
)
def test_which_values_are_broadcast(keys: dict[str, Any], values: list[Any], numbers: list[int]) -> None:
    assert told(values, **keys) == numbers


def test_times_that_are_sums_of_floats_reach_max_interval_at_their_event() -> None:
    endpoint, service = sensor([1] * 100, log_interval=0.1, max_interval=0.8)  # eight times 0.1 is a little less
    endpoint.switch("on")
    service.clock.advance(2.45)
    assert len(service.alerts) == 4


def test_a_broadcast_is_what_a_get_answers() -> None:
    for values, calibration, payload in [
        (["0.75"], "2*{}", {"value_cal": 1.5, "value_raw": "0.75"}),
        (["0.75"], None, {"value_raw": "0.75"}),
        (["OVLD"], "2*{}", {"value_raw": "OVLD"}),
    ]:
        endpoint, service = sensor(values, calibration=calibration, alert_routing_key="pressure")
        endpoint.switch("on")
        service.clock.advance(0)
        assert service.alerts == [("pressure.volts", payload)]


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (5, {"value_raw": 5}),
        ([1, 2], {"value_raw": [1, 2]}),
        ({"value_raw": 1, "at": 3}, {"value_raw": 1, "at": 3}),
        ({"state": "ok"}, {"state": "ok"}),
    ],
)
def test_what_is_no_dict_is_told_as_value_raw(value: Any, payload: Any) -> None:
    endpoint, service = sensor([value], cls=Plain)
    endpoint.switch("on")
    service.clock.advance(0)
    assert service.alerts == [("sensor_value.volts", payload)]


@pytest.mark.parametrize(
    ("check_field", "numbers"), [(None, [0, 1, 2, 4]), ("a", [0, 2, 4]), ("b", [0, 1, 4]), ("c", [0, 1, 2, 4])]
)
def test_of_a_dict_without_value_raw_all_is_looked_at_or_the_field(check_field: Any, numbers: list[int]) -> None:
    values = [{"a": 1, "b": 1}, {"a": 1, "b": 9}, {"a": 9, "b": 9}, {"a": 9, "b": 9}, {"a": 1, "b": 1}]
    endpoint, service = sensor(values, cls=Plain, max_absolute_change=1, check_field=check_field)
    endpoint.switch("on")
    service.clock.advance(40)
    assert [values.index(payload) for _, payload in service.alerts[:-1]] == numbers[:-1]
    assert len(service.alerts) == len(numbers)


def test_a_dict_that_a_class_changes_and_returns_again_is_seen_to_change() -> None:
    state: dict[str, Any] = {"value_raw": 1}
    endpoint, service = sensor(itertools.repeat(state), cls=Plain, max_absolute_change=1)
    endpoint.switch("on")
    service.clock.advance(10)
    state["value_raw"] = 5
    service.clock.advance(20)
    assert len(service.alerts) == 2


def test_the_first_event_after_each_switching_on_broadcasts() -> None:
    endpoint, service = sensor([1] * 10, max_fractional_change=0.5)
    endpoint.switch("on")
    service.clock.advance(15)
    assert len(service.alerts) == 1
    endpoint.switch("restart")
    service.clock.advance(15)
    assert len(service.alerts) == 2
    endpoint.switch("on")
    service.clock.advance(15)
    assert len(service.alerts) == 2, "it was on already"
    endpoint.switch("off")
    endpoint.switch("on")
    service.clock.advance(0)
    assert len(service.alerts) == 3


def test_a_set_that_is_told_counts_as_a_broadcast() -> None:
    endpoint, service = settable(max_fractional_change=0.5, max_interval=30)
    endpoint.switch("on")
    service.clock.advance(25)
    assert len(service.alerts) == 1
    endpoint.handle(OP_SET, "", [9], {})
    assert service.alerts[1:] == [("sensor_value.volts", {"value_raw": 9})]
    service.clock.advance(25)
    assert len(service.alerts) == 2, "neither has it changed since, nor are 30 s over"
    service.clock.advance(10)
    assert len(service.alerts) == 3, "35 s are over since the set"


def test_the_first_event_broadcasts_although_a_set_was_told_before_it() -> None:
    endpoint, service = settable(max_fractional_change=0.5)
    endpoint.switch("on")
    endpoint.handle(OP_SET, "", [9], {})
    service.clock.advance(0)
    assert [payload for _, payload in service.alerts] == [{"value_raw": 9}] * 2


def test_sets_are_told_while_it_is_off() -> None:
    endpoint, service = settable(log_interval=0)
    endpoint.handle(OP_SET, "", [9], {})
    assert (service.alerts, endpoint.logging_status) == ([("sensor_value.volts", {"value_raw": 9})], False)


def test_a_read_that_raises_is_said_once_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    gone = DriplineHardwareError("no answer")
    endpoint, service = sensor([1, gone, gone, gone, 2, 3])
    endpoint.switch("on")
    with caplog.at_level(logging.INFO):
        service.clock.advance(50)
    assert [payload["value_raw"] for _, payload in service.alerts] == [1, 2, 3]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert caplog.messages == [
        "volts: its periodic action failed, and is tried again: no answer",
        "volts: its periodic action succeeds again",
    ]


def test_a_value_that_json_cannot_carry_is_said_once_and_the_next_one_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint, service = sensor([object(), object(), 1], cls=Plain, max_fractional_change=0.1)
    carried: list[Any] = []

    def send_alert(routing_key: str, payload: Any) -> None:
        carried.append(codec.decode(codec.encode(AlertMessage(payload)), "application/json").payload)

    service.send_alert = send_alert  # type: ignore[method-assign]
    endpoint.switch("on")
    service.clock.advance(20)
    assert carried == [{"value_raw": 1}]
    assert caplog.messages[0].startswith("volts: its periodic action failed, and is tried again: the value cannot be ")
    assert len(caplog.messages) == 2


def test_that_there_is_no_value_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    endpoint, service = sensor([None, None, 1, None, None])
    endpoint.switch("on")
    service.clock.advance(40)
    assert caplog.messages == ["volts has no value to log: it is looked at again with each log event"] * 2
    assert len(service.alerts) == 1

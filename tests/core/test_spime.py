"""An endpoint that logs itself: which alerts a set sends."""

from typing import Any

import pytest

from dragonfly.core.calibration import calibrate
from dragonfly.core.constants import OP_GET, OP_SET
from dragonfly.core.exceptions import (
    DriplineError,
    DriplineHardwareError,
    DriplinePayloadError,
    DriplineValueError,
    DriplineWarning,
)
from dragonfly.core.provider import Provider
from dragonfly.core.spime import Spime
from tests.stub_service import StubService


class Source(Spime):
    """A power supply with a memory, whose readback is a text."""

    def __init__(self, returned: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._raw: Any = None
        self._returned = returned

    @calibrate()
    def on_get(self) -> Any:
        return None if self._raw is None else str(self._raw)

    def on_set(self, value: Any) -> Any:
        if value == "broken":
            raise DriplineHardwareError("no answer")
        if value == "crash":
            raise OSError("gone")
        self._raw = value
        return self._returned


class Silent(Spime):
    """An endpoint that takes a value and cannot be read."""

    def on_set(self, value: Any) -> None: ...


def on_mesh(spime: Spime) -> StubService:
    service, provider = StubService(name="service"), Provider(name="supply")
    service.add_endpoint(provider)
    provider.add_endpoint(spime)
    return service


SET, SET_CAL = {"value_raw": 1.5}, {"value_cal": 3.0, "value_raw": 1.5}
READ, READ_CAL = {"value_raw": "1.5"}, {"value_cal": 3.0, "value_raw": "1.5"}
OWN = {"value_raw": "1.49"}

# get_on_set, log_on_set, what on_set returns, calibration; the answer and the alert.
COMBINATIONS = [
    (False, False, None, None, None, None),
    (False, False, None, "2*{}", None, None),
    (False, False, "done", None, "done", None),
    (False, False, "done", "2*{}", "done", None),
    (False, False, OWN, None, OWN, None),
    (False, False, OWN, "2*{}", OWN, None),
    (False, True, None, None, None, SET),
    (False, True, None, "2*{}", None, SET_CAL),
    (False, True, "done", None, "done", SET),
    (False, True, "done", "2*{}", "done", SET_CAL),
    (False, True, {"state": 1}, None, {"state": 1}, SET),
    (False, True, OWN, None, OWN, OWN),
    (False, True, OWN, "2*{}", OWN, OWN),
    *((True, False, returned, None, READ, None) for returned in (None, "done", OWN)),
    *((True, False, returned, "2*{}", READ_CAL, None) for returned in (None, "done", OWN)),
    (True, True, {"state": 1}, None, READ, READ),
    *((True, True, returned, None, READ, READ) for returned in (None, "done", OWN)),
    *((True, True, returned, "2*{}", READ_CAL, READ_CAL) for returned in (None, "done", OWN)),
]


@pytest.mark.parametrize("in_the_file", [True, False])
@pytest.mark.parametrize(("get_on_set", "log_on_set", "returned", "calibration", "answer", "alert"), COMBINATIONS)
def test_each_combination_of_get_on_set_and_log_on_set(
    in_the_file: bool, get_on_set: bool, log_on_set: bool, returned: Any, calibration: Any, answer: Any, alert: Any
) -> None:
    keys = {"get_on_set": get_on_set, "log_on_set": log_on_set}
    written = keys if in_the_file else {name: not value for name, value in keys.items()}
    source = Source(name="volts", returned=returned, calibration=calibration, **written)
    service = on_mesh(source)
    for name, value in keys.items():
        source.handle(OP_SET, name, [value], {})
    assert source.handle(OP_SET, "", [1.5], {}) == answer
    assert service.alerts == ([] if alert is None else [("sensor_value.volts", alert)])


@pytest.mark.parametrize("get_on_set", [False, True])
def test_each_set_is_told_in_its_order(get_on_set: bool) -> None:
    source = Source(name="volts", log_on_set=True, get_on_set=get_on_set)
    service = on_mesh(source)
    for value in (1, 1, 2):
        source.handle(OP_SET, "", [value], {})
    assert [str(payload["value_raw"]) for _, payload in service.alerts] == ["1", "1", "2"]


def test_a_get_tells_nothing() -> None:
    source = Source(name="volts", log_on_set=True)
    service = on_mesh(source)
    source.handle(OP_GET, "", [], {})
    assert service.alerts == []


def test_a_set_of_an_attribute_tells_nothing() -> None:
    source = Source(name="volts", log_on_set=True, get_on_set=True)
    service = on_mesh(source)
    source.handle(OP_SET, "log_interval", [5], {})
    assert service.alerts == []


def test_an_endpoint_that_cannot_be_read_tells_the_value_set() -> None:
    silent = Silent(name="gate", log_on_set=True, calibration={1: "open"})
    service = on_mesh(silent)
    silent.handle(OP_SET, "", [1], {})
    assert service.alerts == [("sensor_value.gate", {"value_cal": "open", "value_raw": 1})]


def test_a_calibration_that_fails_after_a_set_is_an_error_and_the_raw_value_is_told() -> None:
    source = Source(name="volts", log_on_set=True, get_on_set=True, calibration="2*{}")
    service = on_mesh(source)
    with pytest.raises(DriplineValueError, match="'OVLD' is not a number") as caught:
        source.handle(OP_SET, "", ["OVLD"], {})
    assert caught.value.result == {"value_raw": "OVLD"}
    assert service.alerts == [("sensor_value.volts", {"value_raw": "OVLD"})]


def test_without_get_on_set_a_calibration_that_fails_is_no_error_and_the_raw_value_is_told() -> None:
    source = Source(name="volts", log_on_set=True, calibration="2*{}")
    service = on_mesh(source)
    assert source.handle(OP_SET, "", ["OVLD"], {}) is None
    assert service.alerts == [("sensor_value.volts", {"value_raw": "OVLD"})]


def test_without_log_on_set_a_calibration_that_fails_tells_nothing() -> None:
    source = Source(name="volts", get_on_set=True, calibration="2*{}")
    service = on_mesh(source)
    with pytest.raises(DriplineValueError):
        source.handle(OP_SET, "", ["OVLD"], {})
    assert service.alerts == []


@pytest.mark.parametrize("get_on_set", [False, True])
@pytest.mark.parametrize(
    ("args", "kwargs"), [(["broken"], {}), (["crash"], {}), ([], {}), ([1, 2], {}), ([1], {"x": 1})]
)
def test_a_set_that_fails_tells_nothing(get_on_set: bool, args: list[Any], kwargs: dict[str, Any]) -> None:
    source = Source(name="volts", log_on_set=True, get_on_set=get_on_set)
    service = on_mesh(source)
    with pytest.raises((DriplineError, OSError)):
        source.handle(OP_SET, "", args, kwargs)
    assert service.alerts == []


def test_a_set_to_nothing_tells_nothing() -> None:
    source = Source(name="volts", log_on_set=True)
    service = on_mesh(source)
    assert source.handle(OP_SET, "", [None], {}) is None
    assert service.alerts == []


def test_log_on_set_can_be_switched_while_running() -> None:
    source = Source(name="volts")
    service = on_mesh(source)
    source.handle(OP_SET, "log_on_set", [True], {})
    source.handle(OP_SET, "", [1], {})
    source.handle(OP_SET, "log-on-set".replace("-", "_"), [False], {})
    source.handle(OP_SET, "", [2], {})
    assert service.alerts == [("sensor_value.volts", {"value_raw": 1})]


def test_the_routing_key_can_be_changed_while_running() -> None:
    source = Source(name="volts", log_on_set=True, alert_routing_key="test_value")
    service = on_mesh(source)
    source.handle(OP_SET, "", [1], {})
    source.handle(OP_SET, "alert_routing_key", ["a.b"], {})
    source.handle(OP_SET, "", [1], {})
    assert [key for key, _ in service.alerts] == ["test_value.volts", "a.b.volts"]


def test_a_set_outside_of_a_service_is_done_and_told_to_nobody() -> None:
    source = Source(name="volts", log_on_set=True, get_on_set=True)
    assert source.handle(OP_SET, "", [1], {}) == {"value_raw": "1"}


@pytest.mark.parametrize("value", ["yes", 1, None, []])
def test_log_on_set_is_true_or_false(value: Any) -> None:
    with pytest.raises(DriplineValueError, match="^log_on_set must be true or false"):
        Source(name="volts", log_on_set=value)
    source = Source(name="volts", log_on_set=True)
    with pytest.raises(DriplineValueError, match="^volts: log_on_set must be true or false"):
        source.handle(OP_SET, "log_on_set", [value], {})
    assert source.log_on_set is True


def test_a_spime_takes_the_keys_of_an_endpoint_and_of_a_logger() -> None:
    source = Source(name="volts", calibration="2*{}", log_interval=30, max_interval=60, max_fractional_change=0.1)
    shown = [source.handle(OP_GET, name, [], {}) for name in ("log_interval", "max_interval", "calibration")]
    assert shown == [30, 60, "2*{}"]


def test_a_key_that_nobody_takes_is_an_error() -> None:
    with pytest.raises(TypeError):
        Source(name="volts", log_intervall=30)


@pytest.mark.parametrize("get_on_set", [False, True])
@pytest.mark.parametrize("value", [5.1, "5.1", -0.1, "inf", "nan", True, None, "high", [1]])
def test_a_set_that_its_limits_refuse_sets_and_tells_nothing(get_on_set: bool, value: Any) -> None:
    source = Source(name="volts", limits=[0, 5], log_on_set=True, get_on_set=get_on_set)
    service = on_mesh(source)
    with pytest.raises(DriplineValueError, match=r"its limits.* \[0, 5\]$"):
        source.handle(OP_SET, "", [value], {})
    assert (service.alerts, source.on_get()) == ([], None)


class Rounding(Source):
    """A power supply that says what it made of a value."""

    def on_set(self, value: Any) -> Any:
        super().on_set(round(value))
        raise DriplineWarning(f"rounded to {round(value)}")

    def raw_after_set(self, value: Any) -> Any:
        return self._raw


def test_a_set_that_succeeds_with_a_remark_is_told() -> None:
    source = Rounding(name="volts", log_on_set=True)
    service = on_mesh(source)
    with pytest.raises(DriplineWarning, match="^rounded to 2$"):
        source.handle(OP_SET, "", [1.7], {})
    assert service.alerts == [("sensor_value.volts", {"value_raw": 2})]


def test_a_set_whose_alert_cannot_be_sent_is_done_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(name="volts", log_on_set=True)
    service = on_mesh(source)

    def refused(routing_key: str, payload: Any) -> None:
        raise DriplinePayloadError("the value cannot be carried by JSON")

    service.send_alert = refused  # type: ignore[method-assign]
    assert source.handle(OP_SET, "", [1.5], {}) is None
    assert source.on_get() == {"value_raw": "1.5"}
    assert caplog.messages == ["volts is set, but nobody can be told: the value cannot be carried by JSON"]


def test_a_readback_that_fails_is_no_alert() -> None:
    class Deaf(Source):
        def on_get(self) -> Any:
            raise DriplineHardwareError("no answer")

    source = Deaf(name="volts", log_on_set=True, get_on_set=True)
    service = on_mesh(source)
    with pytest.raises(DriplineHardwareError, match="^volts is set, but reading it back failed: no answer$"):
        source.handle(OP_SET, "", [1.5], {})
    assert service.alerts == []

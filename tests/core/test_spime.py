"""An endpoint that logs itself: which alerts a set sends."""

from typing import Any

import pytest

from dragonfly.core.calibration import calibrate
from dragonfly.core.constants import OP_GET, OP_SET
from dragonfly.core.exceptions import DriplineError, DriplineHardwareError, DriplineValueError
from dragonfly.core.provider import Provider
from dragonfly.core.spime import Spime


class StubService(Provider):
    """A service that notes its alerts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alerts: list[tuple[str, Any]] = []

    @property
    def service(self) -> "StubService":
        return self

    def send_alert(self, routing_key: str, payload: Any) -> None:
        self.alerts.append((routing_key, payload))


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


@pytest.mark.parametrize(
    ("keys", "answer", "alert"),
    [
        # nothing is told unless log_on_set says so
        ({}, None, None),
        ({"get_on_set": True}, {"value_raw": "1.5"}, None),
        ({"get_on_set": True, "calibration": "2*{}"}, {"value_cal": 3.0, "value_raw": "1.5"}, None),
        # with get_on_set it is what was read, without it the value set
        ({"log_on_set": True}, None, {"value_raw": 1.5}),
        ({"log_on_set": True, "calibration": "2*{}"}, None, {"value_cal": 3.0, "value_raw": 1.5}),
        ({"log_on_set": True, "get_on_set": True}, {"value_raw": "1.5"}, {"value_raw": "1.5"}),
        (
            {"log_on_set": True, "get_on_set": True, "calibration": "2*{}"},
            {"value_cal": 3.0, "value_raw": "1.5"},
            {"value_cal": 3.0, "value_raw": "1.5"},
        ),
        # what on_set returns is the answer, and the alert only where it is a value
        ({"log_on_set": True, "returned": "done"}, "done", {"value_raw": 1.5}),
        ({"log_on_set": True, "returned": {"state": 1}}, {"state": 1}, {"value_raw": 1.5}),
        ({"log_on_set": True, "returned": {"value_raw": "1.49"}}, {"value_raw": "1.49"}, {"value_raw": "1.49"}),
        ({"log_on_set": True, "get_on_set": True, "returned": "done"}, {"value_raw": "1.5"}, {"value_raw": "1.5"}),
    ],
)
def test_a_set_is_answered_and_told_once(keys: dict[str, Any], answer: Any, alert: Any) -> None:
    source = Source(name="volts", **keys)
    service = on_mesh(source)
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

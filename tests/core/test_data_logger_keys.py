"""The keys of logging: in a file, and while it runs."""

import math
from typing import Any

import pytest

from dragonfly.core.constants import OP_GET, OP_SET
from dragonfly.core.data_logger import DataLogger
from dragonfly.core.exceptions import DriplineValueError
from tests.core.sensors import Plain, sensor, settable

UNITS = {
    "log_interval": " of seconds",
    "max_interval": " of seconds",
    "max_fractional_change": "",
    "max_absolute_change": "",
}
NUMBERS = tuple(UNITS)


def test_by_default_nothing_is_logged() -> None:
    logger = DataLogger()
    assert [getattr(logger, name) for name in NUMBERS] == [0, 0, 0, 0]
    assert logger.alert_routing_key == "sensor_value"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    ("written", "shown"), [(30, 30), (0.5, 0.5), ("1e3", 1000.0), ("30", 30), (0, 0), (10**9, 10**9)]
)
def test_a_number_is_shown_as_the_file_has_it_and_after_a_set_as_a_float(name: str, written: Any, shown: float) -> None:
    logger = DataLogger(**{name: written})
    assert getattr(logger, name) == shown and type(getattr(logger, name)) is type(shown)
    setattr(logger, name, written)
    assert getattr(logger, name) == shown and type(getattr(logger, name)) is float


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, -1e-9, "-1", True, False, None, "soon", "", [], [30], {}, math.nan, math.inf])
def test_what_is_no_number_from_zero_on_is_refused_in_the_file_and_on_a_set(name: str, value: Any) -> None:
    with pytest.raises(DriplineValueError, match=f"^{name} must be a number{UNITS[name]}"):
        DataLogger(**{name: value})
    logger = DataLogger(**{name: 5})
    with pytest.raises(DriplineValueError, match=f"^{name} must be a number{UNITS[name]}"):
        setattr(logger, name, value)
    assert getattr(logger, name) == 5


@pytest.mark.parametrize("key", ["sensor_value", "a", "a.b.c", "x" * 54, "\N{GREEK SMALL LETTER MU}" * 27])
def test_a_routing_key_is_a_short_text(key: str) -> None:
    assert DataLogger(alert_routing_key=key).alert_routing_key == key
    logger = DataLogger()
    logger.alert_routing_key = key
    assert logger.alert_routing_key == key


@pytest.mark.parametrize(
    "key", ["", "a b", "*", "a.#", "x" * 55, "\N{GREEK SMALL LETTER MU}" * 28, None, 5, True, ["a"], b"a"]
)
def test_any_other_routing_key_is_refused_in_the_file_and_on_a_set(key: Any) -> None:
    with pytest.raises(DriplineValueError, match="^alert_routing_key must be a text of 1 to 54 bytes"):
        DataLogger(alert_routing_key=key)
    logger = DataLogger()
    with pytest.raises(DriplineValueError, match="^alert_routing_key must be a text of 1 to 54 bytes"):
        logger.alert_routing_key = key
    assert logger.alert_routing_key == "sensor_value"


def test_a_routing_key_that_no_broker_can_carry_is_refused() -> None:
    with pytest.raises(DriplineValueError, match="^alert_routing_key must be a text"):
        DataLogger(alert_routing_key="\ud800")


def test_the_longest_key_and_the_longest_name_fit_into_amqp() -> None:
    assert len(f"{DataLogger(alert_routing_key='x' * 54).alert_routing_key}.{'n' * 200}") == 255


def test_a_key_that_nobody_takes_is_an_error() -> None:
    with pytest.raises(TypeError):
        DataLogger(log_intervall=30)


def test_all_can_be_changed_while_it_runs() -> None:
    endpoint, service = settable()
    endpoint.switch("on")

    def next_events(number: int, **keys: Any) -> int:
        for name, value in keys.items():
            endpoint.handle(OP_SET, name, [value], {})
        before = len(service.alerts)
        service.clock.advance(10 * number)
        return len(service.alerts) - before

    assert next_events(2) == 3
    assert next_events(4, max_interval=20) == 2
    assert next_events(4, max_interval=0, max_fractional_change=0.1) == 0
    assert next_events(4, max_fractional_change=0) == 4
    assert next_events(4, max_absolute_change=1) == 0
    endpoint._value = 3
    assert next_events(4) == 1
    assert next_events(4, max_absolute_change=0, alert_routing_key="a.b") == 4
    assert {key for key, _ in service.alerts[-4:]} == {"a.b.volts"}
    assert next_events(4, log_interval=20) == 2


def test_a_changed_check_field_tells_nothing_by_itself() -> None:
    endpoint, service = sensor([{"value_raw": 1, "t": 7}] * 9, cls=Plain, max_absolute_change=1)
    endpoint.switch("on")
    service.clock.advance(10)
    endpoint.handle(OP_SET, "check_field", ["t"], {})
    service.clock.advance(10)
    assert (len(service.alerts), endpoint.check_field) == (1, "t")
    endpoint.handle(OP_SET, "check_field", [None], {})
    assert endpoint.handle(OP_GET, "check_field", [], {}) is None


@pytest.mark.parametrize("value", ["", 5, True, [], {}, b"value_raw"])
def test_a_check_field_is_a_name(value: Any) -> None:
    with pytest.raises(DriplineValueError, match="^check_field must be the name of an entry, such as value_raw, not "):
        DataLogger(check_field=value)
    endpoint, _ = sensor(check_field="value_raw")
    with pytest.raises(DriplineValueError, match="^volts: check_field must be the name of an entry"):
        endpoint.handle(OP_SET, "check_field", [value], {})
    assert endpoint.check_field == "value_raw"


@pytest.mark.parametrize(
    ("written", "starts"),
    [(word, True) for word in (True, "on", "start", "restart", "true", "On")]
    + [(word, False) for word in (False, "off", "stop", "false")],
)
def test_logging_status_as_a_key_says_whether_it_starts_by_itself(written: Any, starts: bool) -> None:
    assert DataLogger(log_interval=5, logging_status=written).starts_by_itself is starts
    assert DataLogger(log_interval=5).starts_by_itself is False


@pytest.mark.parametrize("written", [None, 1, 0, "", "yes", []])
def test_any_other_word_as_a_key_is_an_error(written: Any) -> None:
    with pytest.raises(DriplineValueError, match="^logging_status must be start or on, stop or off, restart, true or"):
        DataLogger(log_interval=5, logging_status=written)


@pytest.mark.parametrize("keys", [{}, {"log_interval": 0}])
def test_logging_status_on_without_an_interval_is_an_error(keys: dict[str, Any]) -> None:
    text = "^logging_status is on, and log_interval, which it needs, is not above 0$"
    with pytest.raises(DriplineValueError, match=text):
        DataLogger(logging_status="on", **keys)
    DataLogger(logging_status="off", **keys)


@pytest.mark.parametrize("word", ["on", "restart"])
def test_it_cannot_be_switched_on_without_an_interval(word: str) -> None:
    endpoint, service = sensor(log_interval=0)
    with pytest.raises(DriplineValueError, match="^volts: log_interval must be above 0 seconds to switch it on$"):
        endpoint.handle(OP_SET, "logging_status", [word], {})
    service.clock.advance(100)
    assert (service.alerts, endpoint.logging_status) == ([], False)


def test_what_is_logged_under_its_two_names_is_one() -> None:
    endpoint, _ = sensor()
    endpoint.handle(OP_SET, "schedule_interval", [7], {})
    endpoint.handle(OP_SET, "schedule_status", ["on"], {})
    assert (endpoint.log_interval, endpoint.logging_status) == (7, True)
    with pytest.raises(DriplineValueError, match="^volts: log_interval must be a number of seconds"):
        endpoint.handle(OP_SET, "schedule_interval", [-7], {})

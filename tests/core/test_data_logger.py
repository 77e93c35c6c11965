"""The keys that say when a value is broadcast."""

import math
from typing import Any

import pytest

from dragonfly.core.data_logger import DataLogger
from dragonfly.core.exceptions import DriplineValueError

NUMBERS = ("log_interval", "max_interval", "max_fractional_change")
UNITS = {"log_interval": " of seconds", "max_interval": " of seconds", "max_fractional_change": ""}


def test_by_default_nothing_is_logged() -> None:
    logger = DataLogger()
    assert [getattr(logger, name) for name in NUMBERS] == [0, 0, 0]
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

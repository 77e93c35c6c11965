"""What reads as a number, and what a key accepts."""

import math
import time
from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.numbers import checked_flag, checked_number, number_of


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (30, 30),
        (-1.5, -1.5),
        (True, 1),
        ("30", 30),
        ("+30", 30),
        ("-007", -7),
        ("0.75", 0.75),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("+1.2E+00", 1.2),
        ("-.5e1", -5.0),
        (" 0.75 \r\n", 0.75),
        ("9" * 1000, int("9" * 1000)),
    ],
)
def test_a_number_or_a_text_that_reads_as_one_is_one(value: Any, number: float) -> None:
    assert number_of(value) == number
    assert isinstance(number_of(value), type(number)) or value is True


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "abc", "nan", "NaN", "inf", "-Infinity", "OVLD", "1_000", "1,000", "0x10", "1e", "e3"),
        *("1 2", "1.2.3", "--1", "+", ".", "1j", "1e1.5", "\N{VULGAR FRACTION ONE HALF}", "True", "0.75 V"),
        *(None, [], [1], {}, b"5", 1j, object, "9" * 1001),
    ],
)
def test_anything_else_is_none(value: Any) -> None:
    assert number_of(value) is None


def test_a_float_that_is_no_number_is_still_a_float() -> None:
    assert math.isnan(number_of(math.nan) or 0)
    assert number_of(-math.inf) == -math.inf


def test_a_long_text_takes_no_time() -> None:
    started = time.perf_counter()
    assert number_of("9" * 1_000_000) is None
    assert number_of("9" * 500 + "." + "e" * 1_000_000) is None
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(("value", "number"), [(30, 30), (0, 0), (0.5, 0.5), ("1e3", 1000.0), ("30", 30), (" 7 ", 7)])
def test_a_key_takes_numbers_as_they_were_given(value: Any, number: float) -> None:
    accepted = checked_number("log_interval", value, 0, "seconds")
    assert accepted == number and type(accepted) is type(number)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5, "log_interval must be a number of seconds of at least 0, not -5"),
        ("-1e-3", "log_interval must be a number of seconds of at least 0, not '-1e-3'"),
        (True, "log_interval must be a number of seconds, not True"),
        (None, "log_interval must be a number of seconds, not None"),
        ("soon", "log_interval must be a number of seconds, not 'soon'"),
        ([30], "log_interval must be a number of seconds, not [30]"),
        (math.nan, "log_interval must be a number of seconds, not nan"),
        (math.inf, "log_interval must be a number of seconds, not inf"),
        ("1e999", "log_interval must be a number of seconds, not '1e999'"),
    ],
)
def test_a_key_refuses_what_is_no_number_or_too_low(value: Any, text: str) -> None:
    with pytest.raises(DriplineValueError) as caught:
        checked_number("log_interval", value, 0, "seconds")
    assert str(caught.value) == text


@pytest.mark.parametrize("value", [10**400, -(10**400), "9" * 400], ids=["large", "negative", "text"])
def test_a_key_refuses_whole_numbers_that_are_no_float(value: Any) -> None:
    with pytest.raises(DriplineValueError, match="max_interval must be a number"):
        checked_number("max_interval", value)


def test_without_a_unit_the_text_names_none() -> None:
    with pytest.raises(DriplineValueError, match=r"^max_fractional_change must be a number, not 'x'$"):
        checked_number("max_fractional_change", "x")


def test_the_text_does_not_repeat_a_value_of_any_length() -> None:
    with pytest.raises(DriplineValueError) as caught:
        checked_number("log_interval", "x" * 100_000)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_is_true_or_false(value: bool) -> None:
    assert checked_flag("get_on_set", value) is value


@pytest.mark.parametrize("value", [0, 1, "true", "on", "", None, [], 1.0, "x" * 1000])
def test_a_flag_is_nothing_else(value: Any) -> None:
    with pytest.raises(DriplineValueError, match="^get_on_set must be true or false, not ") as caught:
        checked_flag("get_on_set", value)
    assert len(str(caught.value)) < 150


def test_a_number_that_python_cannot_write_is_refused_all_the_same() -> None:
    with pytest.raises(DriplineValueError, match=r"^log_interval must be a number, not a number of too many digits$"):
        checked_number("log_interval", 10**5_000)

"""The text form of a calibration: a raw value that it cannot take, and a function that fails."""

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineHardwareError, DriplineValueError
from tests.core.expressions import evaluate


@pytest.mark.parametrize(
    "raw", ["", " ", "NaN", "OVLD", "inf", "1_000", "0x10", "1,5", "1e", "2*3", None, [], {}, b"1", "9" * 5000]
)
def test_a_raw_value_that_is_no_number_is_refused_and_named(raw: Any) -> None:
    with pytest.raises(DriplineValueError, match="^the raw value .* is not a number$") as caught:
        evaluate("2*{}", raw)
    assert repr(raw)[:70] in str(caught.value)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("text", "raw", "why"),
    [
        ("1/{}", 0, "division by zero"),
        ("sqrt({})", -1, "math domain error"),
        ("exp({})", 1000, "math range error"),
        ("9.0**9.0**{}", 9, "too large|out of range"),
        ("int('{}')", "x", "invalid literal"),
        ("'a' + {}", 1, "'a' is not a number"),
        ("{} < 'a'", 1, "not supported between"),
        ("'a' in {}", 1, "not iterable"),
        ("sqrt('{}')", "x", "must be real number"),
        ("sqrt()", 1, "argument"),
        ("(-8)**(1/{})", 3, "gives .*, no number"),
        ("frexp({})", 4, "gives .*, no number"),
        ("f({})", 1, "gives .*, no number"),
        ("'{:.2f}'", "0.75", "cannot be formatted with '.2f'"),
        ("{:d}", "0.75", "cannot be formatted with 'd'"),
        ("{:s}", 5, "cannot be formatted with 's'"),
    ],
)
def test_what_fails_is_304_with_the_reason(text: str, raw: Any, why: str) -> None:
    with pytest.raises(DriplineValueError, match=why) as caught:
        evaluate(text, raw, f=lambda value: [value])
    assert caught.value.retcode == 304


@pytest.mark.parametrize("text", ["{:,}", "{:%}", "{:*>9}"])
def test_a_format_whose_result_is_no_number_is_named(text: str) -> None:
    with pytest.raises(DriplineValueError, match="format"):
        evaluate(text, 1000)


@pytest.mark.parametrize("error", [KeyError("87771"), ValueError("x"), TypeError("x"), IndexError("x")])
def test_a_function_that_raises_is_304_with_the_calibration_and_the_raw_value(error: Exception) -> None:
    def lookup(value: float) -> float:
        raise error

    with pytest.raises(DriplineValueError, match=r"calibration 'lookup\({}\)' of '4.2' failed: ") as caught:
        evaluate("lookup({})", "4.2", lookup=lookup)
    assert str(error) in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [ZeroDivisionError(), OverflowError(), ValueError()])
def test_a_function_that_raises_without_a_text_leaves_the_errors_name(error: Exception) -> None:
    def lookup(value: float) -> float:
        raise error

    with pytest.raises(DriplineValueError, match=type(error).__name__):
        evaluate("lookup({})", "4.2", lookup=lookup)


@pytest.mark.parametrize("error", [AttributeError("x"), RuntimeError("x"), AssertionError("x"), OSError("x")])
def test_any_failure_of_a_function_is_304(error: Exception) -> None:
    def lookup(value: float) -> float:
        raise error

    with pytest.raises(DriplineValueError):
        evaluate("lookup({})", "4.2", lookup=lookup)


def test_a_function_may_raise_an_error_of_its_own() -> None:
    def lookup(value: float) -> float:
        raise DriplineHardwareError("no such sensor")

    with pytest.raises(DriplineHardwareError, match="no such sensor"):
        evaluate("lookup({})", "4.2", lookup=lookup)


def test_a_whole_number_that_no_float_can_hold_has_no_format() -> None:
    with pytest.raises(DriplineValueError, match=r"cannot be formatted with '\.3f': int too large"):
        evaluate("{:.3f}", "9" * 400)

"""What an expression may cost."""

import math
import time
from typing import Any

import pytest

from dragonfly.core import arithmetic
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.expression import Expression


def evaluate(text: str, raw: Any = 1) -> Any:
    return Expression(text, {})(raw)


def test_the_names_are_those_of_math_and_six_more() -> None:
    of_math = {name for name, value in vars(math).items() if callable(value) and not name.startswith("_")}
    of_math -= {"dist", "fsum", "prod", "sumprod"}  # they take lists
    assert set(arithmetic.functions()) == of_math | {"abs", "min", "max", "round", "int", "float"}
    assert set(arithmetic.CONSTANTS) == {"pi", "e", "tau", "inf", "nan"}


@pytest.mark.parametrize("name", ["pi", "e", "tau", "inf"])
def test_a_constant_has_its_value(name: str) -> None:
    assert evaluate(name) == evaluate(f"math.{name}") == getattr(math, name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2**10", 1024),
        ("2**2048", 2**2048),
        ("2**-2", 0.25),
        ("2.0**0.5", math.sqrt(2)),
        ("(2**2047) * (2**2047)", 2**4094),
        ("factorial(20)", math.factorial(20)),
        ("comb(1000, 2)", 499_500),
        ("perm(5)", 120),
        ("round(123456, -3)", 123_000),
        ("1e300*1e300", math.inf),
        ("-1.5 % 1", 0.5),
    ],
)
def test_what_a_measurement_needs_is_computed(text: str, value: float) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2**4097", "a power of more than 4096 bits is refused"),
        ("9**9**9**9", "a power of more than 4096 bits is refused"),
        ("10**10**10", "a power of more than 4096 bits is refused"),
        ("(-9)**10**9", "a power of more than 4096 bits is refused"),
        ("2**-(10**9)", "a power of more than 4096 bits is refused"),
        ("(2**2048) * (2**2048)", "a product of more than 4096 bits is refused"),
        ("factorial(1001)", "factorial takes whole numbers up to 1000 here"),
        ("factorial(factorial(20))", "factorial takes whole numbers up to 1000 here"),
        ("comb(10**9, 5*10**8)", "comb takes whole numbers up to 1000 here"),
        ("perm(10**9)", "perm takes whole numbers up to 1000 here"),
        ("round(1, 301)", "round takes up to 300 digits here"),
        ("round(10**300, -(10**9))", "round takes up to 300 digits here"),
        ("ldexp(1, 10**9)", "range"),
        ("exp(10**9)", "range"),
        ("gamma(10**9)", "range"),
        ("isqrt(-1)", "nonnegative"),
        ("1 >> -1", "negative shift"),
        ("int('1'*5000)", "'1' is not a number"),
    ],
)
def test_what_would_stop_a_service_is_refused_at_once(text: str, why: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DriplineValueError, match=why):
        evaluate(text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**", "&", "|", "^", ">>"])
@pytest.mark.parametrize(("left", "right"), [("'a'", "1"), ("1", "'a'"), ("'a'", "'a'"), ("'{}'", "1")])
def test_an_operator_takes_numbers_only(operator: str, left: str, right: str) -> None:
    with pytest.raises(DriplineValueError, match="is not a number"):
        evaluate(f"{left} {operator} {right}", "%1000000000d")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a' == 'a'", True),
        ("'a' != 'a'", False),
        ("'a' < 'b'", True),
        ("'a' in 'abc'", True),
        ("'a' not in 'abc'", False),
        ("not 'a'", False),
        ("+5", 5),
        ("-5", -5),
    ],
)
def test_texts_are_compared(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize("text", ["prod('a', start=10**6)", "prod('{}', start=10**6)"])
def test_no_function_makes_texts_longer(text: str) -> None:
    with pytest.raises(DriplineValueError):
        evaluate(text, "a")


@pytest.mark.parametrize("digits", [10, 999, 1000])
@pytest.mark.parametrize("text", ["2*{}", "{}*{}", "{}+{}", "{}**2", "lcm({},{}-1)", "gcd({},6)", "isqrt({})", "{}%7"])
def test_a_raw_number_of_any_length_ends_at_once(text: str, digits: int) -> None:
    started = time.perf_counter()
    try:
        value = evaluate(text, "9" * digits)
    except DriplineValueError:
        value = 0
    assert value.bit_length() < 10_000
    assert time.perf_counter() - started < 1

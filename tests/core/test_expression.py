"""The text form of a calibration: what can be read, and what it gives."""

import math
import time
from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineHardwareError, DriplineValueError
from dragonfly.core.expression import (
    MAX_EXPRESSION_LENGTH,
    MAX_FORMAT_WIDTH,
    MAX_RAW_LENGTH,
    Expression,
)


def twice(value: float) -> float:
    return 2.0 * value


def evaluate(text: str, raw: Any, **functions: Any) -> Any:
    return Expression(text, functions)(raw)


@pytest.mark.parametrize(
    ("text", "raw", "value"),
    [
        # {} is a number of its own, whatever its sign
        ("{}", "0.75", 0.75),
        ("{}", "5", 5),
        ("2*{}", " 0.75\r\n", 1.5),
        ("2*{}", 0.75, 1.5),
        ("2*{}", 3, 6),
        ("{}**2", "-3", 9),
        ("-{}", "-3", 3),
        ("-{}**2", 3, -9),
        ("1-{}", "-1", 2),
        ("{}*{}", "1.5", 2.25),
        ("{} + 1", "+1.2E+00", 2.2),
        ("({}-32)/1.8", "212", 100.0),
        ("1e-3*{}", "5", 0.005),
        ("{}*1e-3", "5", 0.005),
        ("{}//2 + {}%2", 7, 4),
        ("{}>>1 & 1", 6, 1),
        ("{} | 1", 6, 7),
        ("{} ^ 3", 6, 5),
        # comparisons and choices
        ("1 if {} > 0.5 else 0", "0.75", 1),
        ("1 if 0 < {} <= 0.5 else 0", "0.75", 0),
        ("not {}", 0, True),
        ("{} > 1 and {} < 3", 2, True),
        ("{} or 7", 0, 7),
        ("{} == 2", "2.0", True),
        ("'low' if {} < 1 else 'high'", 0.5, "low"),
        # inside quotes {} is the raw text
        ("int('0x{}', 16)", "ff", 255),
        ("int('{}', 2)", " 101 ", 5),
        ('float("{}e-3")', "5", 0.005),
        ("'{}'", "OVLD", "OVLD"),
        ("'{} and {}'", "a", "a and a"),
        ("'{}'", 0.75, "0.75"),
        ("1 if '{}' == 'ON' else 0", "ON\n", 1),
        ("1 if '{}' in 'ON,OPEN' else 0", "OPEN", 1),
        ("1 if 'O' not in '{}' else 0", "OFF", 0),
        ("'{}'", 'it\'s "quoted" \\ {} __import__', 'it\'s "quoted" \\ {} __import__'),
        ("'5'", 1, "5"),
        (r"'\'{}\''", 1, "'1'"),
        # formats
        ("{:.1f}", "0.756", 0.8),
        ("{:d}", "12", 12),
        ("{:x}", 16, 10),
        ("int('{:x}', 16)", 255, 255),
        ("'{:>5}'", "ab", "   ab"),
        ("'{:*^7.2f}'", 0.756, "*0.76**"),
        ("'{:,}'", 1000, "1,000"),
        ("'{:.2%}'", 0.5, "50.00%"),
        ("{:}", 5, 5),
        # the functions of math, bare and as math.x, and a few more
        ("sqrt({})", 16, 4.0),
        ("math.sqrt({})", 16, 4.0),
        ("math.fabs({})", "-3", 3.0),
        ("log10({})", 1000, 3.0),
        ("pi*{}", 1, math.pi),
        ("math.pi*{}", 1, math.pi),
        ("exp(log({}))", 1, 1.0),
        ("abs({})", "-3", 3),
        ("min({}, 5)", 7, 5),
        ("max({}, 5)", 7, 7),
        ("round({}, 1)", 0.75, 0.8),
        ("round({}, ndigits=1)", 0.75, 0.8),
        ("round({})", 2.5, 2),
        ("int({})", "2.9", 2),
        ("float({})", "2", 2.0),
        ("int('{}', base=16)", "1f", 31),
        # the functions of a class
        ("twice({})", "1.75", 3.5),
        ("twice(twice({}) + 1)", 1, 6.0),
        ("twice(value={})", 1, 2.0),
        # neither blanks nor comments count, and {} may be left out
        ("  2 * {}  \n", 1, 2),
        ("2*{} # twice", 1, 2),
        ("42", "OVLD", 42),
        ("True", "OVLD", True),
    ],
)
def test_an_expression_gives_its_value(text: str, raw: Any, value: Any) -> None:
    result = evaluate(text, raw, twice=twice)
    assert result == pytest.approx(value) if isinstance(value, float) else result == value
    assert type(result) is type(value)


def test_round_to_no_digits_gives_what_python_gives() -> None:
    result = evaluate("round({}, 0)", 2.5)
    assert result == 2.0 and isinstance(result, float)


def test_a_function_of_the_class_goes_before_one_of_math() -> None:
    assert evaluate("sqrt({})", 16, sqrt=twice) == 32.0


def test_a_function_may_give_nothing_and_anything_short() -> None:
    assert evaluate("f({})", 1, f=lambda value: None) is None
    assert evaluate("f({})", 1, f=lambda value: "done") == "done"


def test_one_expression_is_good_for_many_raw_values() -> None:
    expression = Expression("2*{}", {})
    assert [expression(raw) for raw in ("1", 2, 3.0, "1")] == [2, 4, 6.0, 2]


def test_a_bad_raw_value_does_not_spoil_the_next() -> None:
    expression = Expression("2*{}", {})
    with pytest.raises(DriplineValueError):
        expression("OVLD")
    assert expression("1") == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        # braces
        ("{}e-3", "{} is a number of its own: write 1e-3*{} for {}e-3, and int('0x{}', 16) for 0x{}"),
        ("0x{}", "{} is a number of its own"),
        ("1{}", "{} is a number of its own"),
        ("{}1", "{} is a number of its own"),
        ("1.{}", "{} is a number of its own"),
        ("{}.5", "{} is a number of its own"),
        ("{}{}", "{} is a number of its own"),
        ("x{}", "{} is a number of its own"),
        ("{}_x", "{} is a number of its own"),
        ("(2){}", "{} is a number of its own"),
        ("'a'{}", "{} is a number of its own"),
        ("{}'a'", "{} is a number of its own"),
        ("{}.real", "{} is a number of its own"),
        ("{}.__class__", "{} is a number of its own"),
        ("{0}", "braces are written as {} or {:FORMAT}"),
        ("{value}", "braces are written as {} or {:FORMAT}"),
        ("{!r}", "braces are written as {} or {:FORMAT}"),
        ("{{}}", "braces are written as {} or {:FORMAT}"),
        ("{", "braces are written as {} or {:FORMAT}"),
        ("2*{}}", "braces are written as {} or {:FORMAT}"),
        ("{:{}}", "braces are written as {} or {:FORMAT}"),
        ("'{0}'", "braces are written as {} or {:FORMAT}"),
        ("'{{}}'", "braces are written as {} or {:FORMAT}"),
        ("'{'", "braces are written as {} or {:FORMAT}"),
        ("{1: 2}", "braces are written as {} or {:FORMAT}"),
        # formats
        ("{:101d}", "the format '101d' is none, or wider than 100"),
        ("{:>1000000000}", "the format '>1000000000' is none, or wider than 100"),
        ("{:.101f}", "the format '.101f' is none, or wider than 100"),
        ("'{:999999999}'", "is none, or wider than 100"),
        ("{:wrong}", "the format 'wrong' is none"),
        ("{:%H:%M}", "the format '%H:%M' is none"),
        # quotes
        ("'abc", "a quoted text has no end"),
        ("\"abc'", "a quoted text has no end"),
        ("'{}", "a quoted text has no end"),
        ("f'{}'", "'f' stands before a quoted text"),
        ("b'a'", "'b' stands before a quoted text"),
        ("r'{}'", "'r' stands before a quoted text"),
        # names and calls
        ("times3({})", "unknown name 'times3'; the names are those of math, and of this class: twice"),
        ("math", "unknown name 'math'"),
        ("math.os", "unknown name 'os'"),
        ("math._x({})", "unknown name '_x'"),
        ("print({})", "unknown name 'print'"),
        ("eval('{}')", "unknown name 'eval'"),
        ("open('{}')", "unknown name 'open'"),
        ("getattr({}, 'real')", "unknown name 'getattr'"),
        ("os.getcwd()", "only functions can be called, by their name"),
        ("twice.__globals__", "only numbers, comparisons and functions by name are allowed"),
        ("math.sqrt.__self__", "only numbers, comparisons and functions by name are allowed"),
        ("math.math.pi", "only numbers, comparisons and functions by name are allowed"),
        ("'{}'.upper()", "only functions can be called, by their name"),
        ("twice({})({})", "only functions can be called, by their name"),
        ("(lambda: 1)()", "only functions can be called, by their name"),
        ("max(*'{}')", "only numbers, comparisons and functions by name are allowed"),
        ("max(**twice)", "** in a call is not allowed"),
        # forms
        ("", "invalid syntax"),
        ("   ", "invalid syntax"),
        ("2*", "invalid syntax"),
        ("*{}", "cannot be read"),
        ("x = {}", "invalid syntax"),
        ("import os", "invalid syntax"),
        ("1; 2", "invalid syntax"),
        ("{} {}", "invalid syntax"),
        ("a\0", "cannot be read"),
        ("\ud800", "cannot be read"),
        ("lambda: 1", "only numbers, comparisons"),
        ("[1]*10**9", "only numbers, comparisons"),
        ("[x for x in '{}']", "only numbers, comparisons"),
        ("(1, 2)", "only numbers, comparisons"),
        ("(y := 1)", "only numbers, comparisons"),
        ("'{}'[0]", "only numbers, comparisons"),
        ("1 << 10**9", "only numbers, comparisons"),
        ("~{}", "only numbers, comparisons"),
        ("{} is 1", "only numbers, comparisons"),
        ("{} @ 1", "only numbers, comparisons"),
        ("None", "None is no number"),
        ("...", "Ellipsis is no number"),
        ("1j", "1j is no number"),
        ("(" * 300 + "1" + ")" * 300, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_an_error_when_it_is_written(text: str, why: str) -> None:
    with pytest.raises(DriplineValueError) as caught:
        Expression(text, {"twice": twice})
    assert str(caught.value).startswith("calibration ")
    assert "cannot be read: " in str(caught.value)
    assert why in str(caught.value)
    assert caught.value.retcode == 304


@pytest.mark.parametrize("text", [r"'\x{}'", r"'\N{}'", r"'\N{NO SUCH SIGN}'", r"'\u00{}'"])
def test_an_escape_that_cannot_be_read_is_an_error_of_the_calibration(text: str) -> None:
    with pytest.raises(DriplineValueError, match="cannot be read"):
        Expression(text, {})


@pytest.mark.parametrize("text", ["1+" * 499 + "1", "-" * 900 + "1"], ids=["sum", "signs"])
def test_an_expression_of_many_terms_is_read_or_refused(text: str) -> None:
    try:
        Expression(text, {})(1)
    except DriplineValueError as err:
        assert "deep" in str(err) or "complex" in str(err)


@pytest.mark.parametrize("text", ["{}(3)", "pi({})", "2*sqrt", "twice", "math.sqrt"])
def test_a_value_that_is_called_and_a_function_that_is_not_are_errors_when_written(text: str) -> None:
    with pytest.raises(DriplineValueError, match="cannot be read"):
        Expression(text, {"twice": twice})


def test_the_longest_expression_and_the_longest_raw_value_are_read() -> None:
    assert evaluate("2*{}".ljust(MAX_EXPRESSION_LENGTH), 1) == 2
    assert evaluate("'{}'", "x" * MAX_RAW_LENGTH) == "x" * MAX_RAW_LENGTH
    assert evaluate(f"'{{:{MAX_FORMAT_WIDTH}}}'", "x") == "x".ljust(MAX_FORMAT_WIDTH)


def test_a_longer_expression_and_a_longer_raw_value_are_refused_with_both_lengths() -> None:
    with pytest.raises(DriplineValueError, match="it has 1001 characters, at most 1000 are read"):
        Expression("2*{}".ljust(MAX_EXPRESSION_LENGTH + 1), {})
    with pytest.raises(DriplineValueError, match="has 10001 characters, a calibration takes 10000"):
        evaluate("'{}'", "x" * (MAX_RAW_LENGTH + 1))


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


@pytest.mark.parametrize("raw", ["__import__('os').system('x')", "{}", "{0.__class__}", "' + str(1) + '", "\\"])
def test_a_raw_text_never_becomes_program_text(raw: str) -> None:
    assert evaluate("'{}'", raw) == raw
    assert evaluate("'<{}>'", raw) == f"<{raw}>"


def test_any_text_is_read_or_refused_at_once() -> None:
    started = time.perf_counter()
    for text in ("x" * 2**20, "'" * 2**20, "{}" * 2**19, "{:" * 2**19, "\\" * 1000, "'\\" * 500, "((((" * 250):
        with pytest.raises(DriplineValueError):
            Expression(text, {})
    assert time.perf_counter() - started < 1

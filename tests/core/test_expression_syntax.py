"""The text form of a calibration: what cannot be read is an error when it is written."""

import time

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.expression import Expression
from tests.core.expressions import twice


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


def test_any_text_is_read_or_refused_at_once() -> None:
    started = time.perf_counter()
    for text in ("x" * 2**20, "'" * 2**20, "{}" * 2**19, "{:" * 2**19, "\\" * 1000, "'\\" * 500, "((((" * 250):
        with pytest.raises(DriplineValueError):
            Expression(text, {})
    assert time.perf_counter() - started < 1

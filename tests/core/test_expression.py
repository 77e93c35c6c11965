"""The text form of a calibration: what it gives."""

import math
from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.expression import (
    MAX_EXPRESSION_LENGTH,
    MAX_FORMAT_WIDTH,
    MAX_RAW_LENGTH,
    Expression,
)
from tests.core.expressions import evaluate, twice


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


def test_the_longest_expression_and_the_longest_raw_value_are_read() -> None:
    assert evaluate("2*{}".ljust(MAX_EXPRESSION_LENGTH), 1) == 2
    assert evaluate("'{}'", "x" * MAX_RAW_LENGTH) == "x" * MAX_RAW_LENGTH
    assert evaluate(f"'{{:{MAX_FORMAT_WIDTH}}}'", "x") == "x".ljust(MAX_FORMAT_WIDTH)


def test_a_longer_expression_and_a_longer_raw_value_are_refused_with_both_lengths() -> None:
    with pytest.raises(DriplineValueError, match="it has 1001 characters, at most 1000 are read"):
        Expression("2*{}".ljust(MAX_EXPRESSION_LENGTH + 1), {})
    with pytest.raises(DriplineValueError, match="has 10001 characters, a calibration takes 10000"):
        evaluate("'{}'", "x" * (MAX_RAW_LENGTH + 1))


@pytest.mark.parametrize("raw", ["__import__('os').system('x')", "{}", "{0.__class__}", "' + str(1) + '", "\\"])
def test_a_raw_text_never_becomes_program_text(raw: str) -> None:
    assert evaluate("'{}'", raw) == raw
    assert evaluate("'<{}>'", raw) == f"<{raw}>"

"""Whether a value differs by enough to be told."""

import math
from typing import Any

import pytest

from dragonfly.core.change import has_changed

HUGE = 10**400


@pytest.mark.parametrize(
    ("last", "value", "is_told"),
    [
        # 10 % of the last value
        (100, 110, False),
        (100, 110.001, True),
        (100, 90, False),
        (100, 89.999, True),
        (1e-300, 2e-300, True),
        (1.0, 1.0, False),
        # of its size, whatever its sign
        (-100, -110, False),
        (-100, -110.001, True),
        (-100, -89.999, True),
        (-100, -90, False),
        (-1, 1, True),
        (1, -1, True),
        # from zero on any change is large enough; to zero it is a change by all of it
        (0, 0, False),
        (0, -0.0, False),
        (0, 1e-300, True),
        (0.0, -5, True),
        (5, 0, True),
        # texts that read as numbers, as a kv_store's are
        ("100", "110", False),
        ("100", "110.001", True),
        ("100", "89", True),
        (" 100 ", "1e2", False),
        ("-0", "0", False),
        (100, "105", False),
        ("0.75", 0.75, False),
        # texts that are none
        ("OPEN", "OPEN", False),
        ("OPEN", "CLOSE", True),
        ("OPEN", "open", True),
        ("", "", False),
        ("", "0", True),
        ("1_000", "1000", True),
        # from a number to something else and back
        (1, "OVLD", True),
        ("OVLD", 1, True),
        (1, None, True),
        (None, 1, True),
        (None, None, False),
        # true and false are no numbers
        (True, False, True),
        (True, True, False),
        (False, True, True),
        (True, "True", True),
        # nan and the infinities, as numbers and as the texts that travel
        (math.nan, math.nan, False),
        (math.nan, "nan", False),
        ("NaN", "nan", False),
        (math.nan, 1, True),
        (1, math.nan, True),
        (0, math.nan, True),
        (math.inf, math.inf, False),
        (math.inf, "inf", False),
        (math.inf, -math.inf, True),
        ("-inf", "inf", True),
        (1, math.inf, True),
        (math.inf, 1, True),
        (math.inf, math.nan, True),
        (math.nan, math.inf, True),
        # as large as floats get, and larger
        (1e308, -1e308, True),
        (1e308, 1.05e308, False),
        (HUGE, HUGE, False),
        (HUGE, 2 * HUGE, True),
        (HUGE, -HUGE, True),
        (HUGE, 1, True),
        (1, HUGE, True),
        (HUGE, math.inf, True),
        (HUGE, math.nan, True),
        # what is more than one value
        ([1, 2], [1, 2], False),
        ([1, 2], [1, 2.0001], True),
        ({"a": 1}, {"a": 1}, False),
        ({"a": 1}, {"a": 2}, True),
        ([1], 1, True),
    ],
)
def test_by_a_fraction(last: Any, value: Any, is_told: bool) -> None:
    assert has_changed(last, value, 0.1, 0) is is_told


@pytest.mark.parametrize(
    ("last", "value", "is_told"),
    [
        (100, 100.5, False),
        (100, 100.51, True),
        (100, 99.5, False),
        (100, 99.49, True),
        (0, 0.5, False),
        (0, -0.6, True),
        (-0.3, 0.3, True),
        (-100, -100.4, False),
        ("100", "100.6", True),
        ("100", "100.4", False),
        ("OPEN", "CLOSE", True),
        (True, False, True),
        (math.nan, 1, True),
        (math.nan, math.nan, False),
        # counts that a float would round
        (2**60, 2**60 + 1, True),
        (2**60, 2**60, False),
    ],
)
def test_by_an_amount(last: Any, value: Any, is_told: bool) -> None:
    assert has_changed(last, value, 0, 0.5) is is_told


@pytest.mark.parametrize(
    ("value", "is_told"), [(100, False), (104, False), (106, True), (112, True), (94, True), (96, False)]
)
def test_with_both_the_smaller_one_decides(value: float, is_told: bool) -> None:
    assert has_changed(100, value, 0.1, 5) is is_told
    assert has_changed(100, value, 0.05, 10) is is_told


@pytest.mark.parametrize("value", [100, 1e9, -5])
def test_a_number_that_nobody_watches_never_changes(value: float) -> None:
    assert has_changed(100, value, 0, 0) is False


@pytest.mark.parametrize("fraction", [1, 1.0, 1e308])
def test_a_fraction_may_be_a_whole_number_and_any_size(fraction: float) -> None:
    assert has_changed(2, 2.5, fraction, 0) is False
    assert has_changed(2**1000, 2**1000 + 2**999, fraction, 0) is False

"""Whether a value differs from another one by enough to be worth telling.

Rules:
1. Numbers, and texts that read as such, are compared as numbers. Anything else differs as soon as it is not the same.
2. A fractional change is one of the last value, whatever its sign; from 0, any change is large enough.
3. nan is the same as nan and differs from everything else; so does an infinity, and a number that no float can hold.
"""

from __future__ import annotations

import math
from typing import Any

from dragonfly.core.numbers import number_of

_NOT_FINITE = ("nan", "inf", "-inf")


def has_changed(last: Any, value: Any, fraction: float, amount: float) -> bool:
    """Tell whether a value differs by more than a fraction of the last one, or by more than an amount.

    Args:
        last: the value that was told last.
        value: the one to be told or not.
        fraction: without unit, of the last value; 0 is off.
        amount: in the unit of the values; 0 is off.
    """
    before, now = _number(last), _number(value)
    if before is None or now is None:
        return bool(last != value)
    if not (_is_finite(before) and _is_finite(now)):
        are_nan = before != before and now != now
        return before != now and not are_nan
    change = abs(now - before)
    if fraction > 0 and change > fraction * abs(before):
        return True
    return 0 < amount < change


def _number(value: Any) -> int | float | None:
    if isinstance(value, str) and value.strip().lower() in _NOT_FINITE:
        return float(value)
    return None if isinstance(value, bool) else number_of(value)


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number that no float can hold
        return False

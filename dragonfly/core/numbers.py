"""Texts that are numbers, and numbers that keys of a YAML file ask for."""

import math
import re
from typing import Any

from dragonfly.core.constants import LONGEST_TIMEOUT
from dragonfly.core.exceptions import DriplineValueError

_NUMBER = re.compile(r"[+-]?(?:\d+(?P<fraction>\.\d*)?|(?P<leading>\.\d+))(?P<exponent>[eE][+-]?\d+)?")
# Longer digit strings are no measurement, and converting them takes quadratic time.
_MAX_DIGITS = 1000


def number_of(value: object) -> int | float | None:
    """Return the number that a value is or, for a text, reads as; None where it is none.

    Blanks around a text do not count; 'nan', 'inf' and '1_000' are no numbers here.
    """
    if isinstance(value, (int, float)):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    match = _NUMBER.fullmatch(text) if len(text) <= _MAX_DIGITS else None
    if match is None:
        return None
    return float(text) if match["fraction"] or match["leading"] or match["exponent"] else int(text)


def checked_number(key: str, value: object, low: float = -math.inf, unit: str = "") -> int | float:
    """Return the finite number that a key asks for, as it was given; YAML reads 1e3 as a text, which counts.

    Args:
        key: the key's name, for the error's text.
        value: what was given for it.
        low: the lowest number that is accepted.
        unit: unit of the number, for the error's text.

    Raises:
        DriplineValueError: it is no number, not finite, or below `low`.
    """
    number = None if isinstance(value, bool) else number_of(value)
    wanted = f"a number of {unit}" if unit else "a number"
    if number is None or not _is_finite(number):
        raise DriplineValueError(f"{key} must be {wanted}, not {_short(value)}")
    if number < low:
        raise DriplineValueError(f"{key} must be {wanted} of at least {low:g}, not {_short(value)}")
    return number


def checked_whole(key: str, value: object, low: int, high: int | None = None, unit: str = "") -> int:
    """Return the whole number that a key asks for; 1e3 counts as one.

    Args:
        key: the key's name, for the error's text.
        value: what was given for it.
        low: the lowest number that is accepted.
        high: the highest one.
        unit: unit of the number, for the error's text.

    Raises:
        DriplineValueError: it is no number, no whole one, or out of range.
    """
    number = checked_number(key, value, low, unit)
    if number != int(number):
        raise DriplineValueError(f"{key} must be a whole number, not {_short(value)}")
    if high is not None and number > high:
        raise DriplineValueError(f"{key} must be at most {high}, not {_short(value)}")
    return int(number)


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number that no float can hold
        return False


def checked_timeout(value: object) -> float:
    """Return the time that a request may take, s.

    Raises:
        DriplineValueError: it is no time above 0, or longer than a broker can count.
    """
    number = None if isinstance(value, bool) or not isinstance(value, (int, float)) else value
    if number is None or not 0 < number <= LONGEST_TIMEOUT:
        allowed = f"above 0 and at most {LONGEST_TIMEOUT} seconds"
        raise DriplineValueError(f"a timeout must be {allowed}, not {_short(value)}")
    return float(number)


def checked_flag(key: str, value: object) -> bool:
    """Return the true or false that a key asks for.

    Raises:
        DriplineValueError: it is something else.
    """
    if isinstance(value, bool):
        return value
    raise DriplineValueError(f"{key} must be true or false, not {_short(value)}")


def checked_text(key: str, value: object) -> str | None:
    """Return the text that a key asks for, or None where nothing is given.

    Raises:
        DriplineValueError: it is something else.
    """
    if value is None or isinstance(value, str):
        return value
    raise DriplineValueError(f"{key} must be a text, not {_short(value)}: put it in quotes")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of too many digits"
    return text if len(text) <= 80 else f"{text[:77]}..."

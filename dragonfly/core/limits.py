"""Limits: which numbers a set accepts."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.numbers import checked_number, number_of


class Limits(NamedTuple):
    """The lowest and the highest number that is accepted, both included, in the unit of what is set; None is open."""

    low: float | None
    high: float | None

    def check(self, name: str, value: Any) -> None:
        """Refuse what is no number, or outside.

        Args:
            name: of the endpoint, for the error's text.
            value: what is to be set; a text that reads as a number is one.

        Raises:
            DriplineValueError: it is not acceptable.
        """
        number = None if isinstance(value, bool) else number_of(value)
        # The texts 'nan' and 'inf', as which the mesh carries them, are no numbers either.
        if number is None or (isinstance(number, float) and not math.isfinite(number)):
            raise DriplineValueError(f"{name}: {value!r:.80} is not a number; its limits are {self}")
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise DriplineValueError(f"{name}: {value!r:.80} is outside its limits {self}")

    def __str__(self) -> str:
        return f"[{_shown(self.low)}, {_shown(self.high)}]"


def checked_limits(value: Any) -> Limits | None:
    """Return the limits that a key gives as `[low, high]`; null leaves one side open.

    Raises:
        DriplineValueError: it is something else.
    """
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise DriplineValueError(f"limits must be a list [low, high], not {value!r:.80}")
    low, high = (None if bound is None else checked_number("limits", bound) for bound in value)
    if low is not None and high is not None and low > high:
        raise DriplineValueError(f"limits must be [low, high], and {_shown(low)} is above {_shown(high)}")
    return Limits(low, high)


def _shown(bound: float | None) -> str:
    return "open" if bound is None else f"{bound:.15g}"

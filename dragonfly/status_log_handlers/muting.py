"""Muting: one text once in a while, and how often it would have come besides."""

from __future__ import annotations

PERIOD = 60.0  # s
_MANY = 1_000


class Muting:
    """Lets a text pass once in a period, and counts it for the rest of that.

    Args:
        period: how long, s.
    """

    def __init__(self, period: float = PERIOD) -> None:
        self._period = period
        self._until: dict[str, float] = {}
        self._muted: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether so many texts are remembered that no new one can be."""
        return len(self._until) >= _MANY

    def mutes(self, text: str, now: float) -> bool:
        """Tell whether a text may not pass now, and count it then."""
        if now >= self._until.get(text, now):
            return False
        self._muted[text] += 1
        return True

    def begin(self, text: str, now: float) -> None:
        """Begin the period of a text that has passed."""
        self._until[text] = now + self._period
        self._muted.setdefault(text, 0)

    def next_end(self) -> float | None:
        """Return when the next period ends; None where none runs."""
        return min(self._until.values(), default=None)

    def ended(self, now: float) -> list[tuple[str, int]]:
        """Return what was muted in periods that are over now, and how often; for these texts a new period begins."""
        over = [text for text, until in self._until.items() if until <= now]
        told = [(text, self._muted.pop(text)) for text in over]
        for text, count in told:
            del self._until[text]
            if count:
                self.begin(text, now)
        return [(text, count) for text, count in told if count]

    def end_all(self) -> list[tuple[str, int]]:
        """Return all texts that were muted and not told, and how often; nothing is remembered."""
        told = [(text, count) for text, count in self._muted.items() if count]
        self._until.clear()
        self._muted.clear()
        return told

"""What must keep showing up, and when somebody has to be told that it does not."""

from __future__ import annotations


class ExpectedData:
    """Data that must show up again and again; all times are monotonic.

    Args:
        name: what messages to people call them.
        repeat: how often it is said that they are missing, s.
        now: when the watch begins, s: from then on they have their time.
    """

    def __init__(self, name: str, repeat: float, now: float) -> None:
        self.name = name
        self._repeat = repeat
        self._last_seen = now
        self._told: float | None = None

    def age(self, now: float) -> float:
        """Return for how long they have not shown up, s."""
        return now - self._last_seen

    def came(self, now: float) -> float | None:
        """Take note that they are there; return for how long they were missing, s, where that was said."""
        missing = None if self._told is None else self.age(now)
        self._last_seen, self._told = now, None
        return missing

    def must_be_told(self, now: float) -> bool:
        """Tell whether it has to be said, or said again, that they are missing; it counts as said then."""
        if self._told is not None and now < self._told + self._repeat:
            return False
        self._told = now
        return True

"""Counters: how often what happened, for a service's statistics."""

from __future__ import annotations

import threading


class Counters:
    """Numbers that only grow; any thread.

    Args:
        names: of the counters, which begin at 0.
    """

    __slots__ = ("_lock", "_values")

    def __init__(self, *names: str) -> None:
        self._values = dict.fromkeys(names, 0)
        self._lock = threading.Lock()

    def add(self, name: str, amount: int = 1) -> None:
        """Count once more, or several times more."""
        with self._lock:
            self._values[name] += amount

    def values(self) -> dict[str, int]:
        """Return all counters by name."""
        with self._lock:
            return dict(self._values)

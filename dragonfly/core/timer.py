"""Timer: one thread that does things later.

Rules:
1. It counts monotonic time: a clock that is set does not move it.
2. What it does must not block; whoever has work to do puts it on a lane.
3. What was cancelled is not done, and does not stay in memory for long.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

_MANY_CANCELLED = 64

Action = Callable[[], None]


class _Entry:
    """An action and its time; ordered by it, and by age where two are the same."""

    __slots__ = ("action", "due", "number")

    def __init__(self, due: float, number: int, action: Action) -> None:
        self.due = due
        self.number = number
        self.action: Action | None = action

    def __lt__(self, other: _Entry) -> bool:
        return (self.due, self.number) < (other.due, other.number)


class Timer:
    """Does things later, one after another.

    Args:
        clock: the time, s, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: list[_Entry] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._cancelled = 0
        self._thread: threading.Thread | None = None
        self._stopped = False

    def now(self) -> float:
        """Return the time, s."""
        return self._clock()

    def start(self) -> None:
        """Start the thread; what was entered before is done from now on."""
        self._thread = threading.Thread(target=self._run, name="timer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is still to be done is not done."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def call_later(self, seconds: float, action: Action) -> Action:
        """Do something after a time; any thread.

        Args:
            seconds: how long to wait, s.
            action: what to do; it must neither block nor raise.

        Returns:
            What to call in order to cancel it.
        """
        entry = _Entry(self.now() + seconds, next(self._numbers), action)
        with self._changed:
            heapq.heappush(self._entries, entry)
            if self._entries[0] is entry:
                self._changed.notify()
        return lambda: self._cancel(entry)

    def _cancel(self, entry: _Entry) -> None:
        with self._changed:
            if entry.action is None:
                return
            entry.action = None
            self._cancelled += 1
            if self._cancelled > _MANY_CANCELLED and 2 * self._cancelled > len(self._entries):
                self._entries = [entry for entry in self._entries if entry.action is not None]
                heapq.heapify(self._entries)
                self._cancelled = 0

    def _run(self) -> None:
        while (action := self._next()) is not None:
            action()
            del action  # what was done must not be kept alive until something else is

    def _next(self) -> Action | None:
        with self._changed:
            while not self._stopped:
                wait = self._entries[0].due - self.now() if self._entries else None
                if wait is not None and wait <= 0:
                    entry = heapq.heappop(self._entries)
                    action, entry.action = entry.action, None
                    if action is not None:
                        return action
                    self._cancelled -= 1
                else:
                    self._changed.wait(None if wait is None else min(wait, threading.TIMEOUT_MAX))
        return None

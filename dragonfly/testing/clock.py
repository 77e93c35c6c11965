"""A clock that a test moves by hand: an hour of logging passes in a moment, and in the same way each time.

Rules:
1. Time stands still but for `advance`.
2. What falls due is done in the order of its times, at its own time: `now()` says so while it runs. What it enters for
   a time that is still within the advance is done, too.
3. After each action `advance` waits until all is at rest that the action may have set in motion on other threads.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

Action = Callable[[], None]

# Times are sums of floats: 0.1 + 0.7 is a little less than 0.8. s.
_ROUNDING = 1e-9
_MOST_ACTIONS = 100_000


class _Entry:
    """An action and its time; ordered by it, and by age where two are the same."""

    __slots__ = ("action", "due", "number", "owner")

    def __init__(self, due: float, number: int, action: Action, owner: object) -> None:
        self.due = due
        self.number = number
        self.action: Action | None = action
        self.owner = owner

    def __lt__(self, other: _Entry) -> bool:
        return (self.due, self.number) < (other.due, other.number)


class ManualClock:
    """A clock for services under test, in place of the real one; it stands at 0 until a test moves it.

    Give it to a service before that starts: `mesh.serve(yaml, clock=clock)`. Then `clock.advance(30)` lets half a
    minute pass: every reading or check that falls due within it has been done when the call returns. No test sleeps.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._entries: list[_Entry] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._rests: list[Action] = []
        self._advancing = False

    def now(self) -> float:
        """Return the time in seconds since the clock was made."""
        return self._now

    def call_later(self, seconds: float, action: Action) -> Action:
        """Have something done when so many seconds have passed; any thread.

        Returns:
            What to call in order to cancel it.
        """
        return self._enter(seconds, action, self)

    def start(self) -> None:
        """Do nothing: this clock has no thread that would have to run."""

    def stop(self) -> None:
        """Forget everything that is still to be done."""
        self._forget(None)

    def share(self) -> SharedClock:
        """Return this clock for one of several services: when that stops, only its own actions are forgotten."""
        return SharedClock(self)

    def settle_with(self, rest: Action) -> None:
        """Have something called after each action of `advance`; it must return when all is at rest.

        The mesh adds one for each service, which waits until the service has done what the action gave it to do.
        """
        self._rests.append(rest)

    def advance(self, seconds: float) -> None:
        """Let time pass, and do all that falls due meanwhile.

        Args:
            seconds: how much time passes; 0 does what is due now.

        Raises:
            ValueError: time cannot go back.
            RuntimeError: an action tried to move the clock, or actions enter themselves again without end.
            TimeoutError: what an action set in motion does not come to rest.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock goes forward: 0 seconds or more were expected, not {seconds!r}")
        if self._advancing:
            raise RuntimeError("the clock is being moved already: an action cannot move it")
        self._advancing = True
        try:
            self._advance(self._now + seconds)
        finally:
            self._advancing = False

    def _advance(self, target: float) -> None:
        self._settle()
        for _ in range(_MOST_ACTIONS):
            action = self._next(target)
            if action is None:
                self._now = max(self._now, target)
                return
            action()
            self._settle()
        raise RuntimeError(f"{_MOST_ACTIONS} actions were due in one advance: does one enter itself with no delay?")

    def _next(self, target: float) -> Action | None:
        with self._lock:
            while self._entries and self._entries[0].due <= target + _ROUNDING:
                entry = heapq.heappop(self._entries)
                if entry.action is not None:
                    self._now = max(self._now, entry.due)
                    return entry.action
        return None

    def _settle(self) -> None:
        for rest in self._rests:
            rest()

    def _enter(self, seconds: float, action: Action, owner: object) -> Action:
        entry = _Entry(self._now + max(0.0, seconds), next(self._numbers), action, owner)
        with self._lock:
            heapq.heappush(self._entries, entry)

        def cancel() -> None:
            entry.action = None

        return cancel

    def _forget(self, owner: object) -> None:
        with self._lock:
            for entry in self._entries:
                if owner is None or entry.owner is owner:
                    entry.action = None


class SharedClock:
    """The same clock, for one of several services.

    Args:
        clock: whose time it is.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return the time in seconds."""
        return self._clock.now()

    def call_later(self, seconds: float, action: Action) -> Action:
        """Have something done when so many seconds have passed; the result, called, cancels it."""
        return self._clock._enter(seconds, action, self)

    def start(self) -> None:
        """Do nothing: this clock has no thread that would have to run."""

    def stop(self) -> None:
        """Forget what this service had still to do."""
        self._clock._forget(self)

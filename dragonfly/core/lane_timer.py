"""Things to do later, each on its lane."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from numbers import Real
from typing import Protocol

from dragonfly.core.exceptions import DriplineBusyError, DriplineError, DriplineValueError, place_of, reply_fields
from dragonfly.core.lane import Lane
from dragonfly.core.request_job import attempt_call

logger = logging.getLogger(__name__)

# How soon a lane or a pool that was full is tried again, s: what is to be done periodically would end otherwise.
_RETRY_SECONDS = 1.0

Action = Callable[[], None]


class Clock(Protocol):
    """What a Timer is, and a clock that a test moves by hand."""

    def now(self) -> float:
        """Return the time, s, monotonic."""
        ...

    def call_later(self, seconds: float, action: Action) -> Action:
        """Do something after a time, in s; the result, called, cancels it."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End."""
        ...


def call_later(clock: Clock, seconds: float, action: Action, lane: Lane) -> Action:
    """Do something after a time, on a lane; any thread.

    Args:
        clock: counts the time.
        seconds: how long to wait, s.
        action: what to do.
        lane: where to do it.

    Returns:
        What to call in order to cancel it.

    Raises:
        DriplineValueError: `seconds` is no number; a clock that got it would do nothing at its time any more.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, Real) or math.isnan(seconds):
        raise DriplineValueError(f"{lane.name}: a time in seconds was expected, not {seconds!r:.80}")
    later = _Later(clock, action, lane)
    later.enter(seconds)
    return later.cancel


class _Later:
    __slots__ = ("_action", "_clock", "_forget", "_lane", "_waits")

    def __init__(self, clock: Clock, action: Action, lane: Lane) -> None:
        self._clock = clock
        self._action: Action | None = action
        self._lane = lane
        self._forget: Action = _nothing
        self._waits = False

    def enter(self, seconds: float) -> None:
        self._forget = self._clock.call_later(seconds, self._put)

    def cancel(self) -> None:
        self._action = None
        self._forget()

    def _put(self) -> None:
        try:
            self._lane.put(self._run, self._refused)
        except DriplineBusyError as err:
            self._refused(err)

    def _refused(self, reason: DriplineError) -> None:
        # Any other reason is that the service stops.
        if isinstance(reason, DriplineBusyError) and self._action is not None:
            level = logging.DEBUG if self._waits else logging.WARNING  # said once, however long it takes
            self._waits = True
            logger.log(level, "what is due on %s has to wait: %s", self._lane.name, reason)
            self.enter(_RETRY_SECONDS)

    def _run(self) -> None:
        action, self._action = self._action, None
        if action is None:
            return
        _, error = attempt_call(action)
        if error is not None:
            _, text, _ = reply_fields(error)
            logger.error("%s: what was to be done later failed: %s%s", self._lane.name, text, place_of(error))
            logger.debug("%s: what was to be done later failed", self._lane.name, exc_info=error)


def _nothing() -> None:
    """Cancel what was never entered."""

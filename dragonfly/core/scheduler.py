"""Scheduler: a periodic action of an endpoint.

Rules:
1. An action runs on the endpoint's lane, so never beside a request to the same instrument.
2. The next one is entered when one has ended: one that comes late is not run twice.
3. Their times are those of the first one and whole intervals after it: they do not drift.
4. What is switched on acts at once. Several together are spread over their intervals.
5. An interval that changes counts from the last action. Set to 0, it switches off.
6. An action that raises is logged, once for each different reason, and the next one runs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from dragonfly.core.exceptions import DriplineError, DriplineValueError, place_of, reply_fields
from dragonfly.core.numbers import checked_number

logger = logging.getLogger(__name__)

# A shorter one, s, would leave the lane nothing but actions.
SHORTEST_INTERVAL = 0.001

# Held while something is switched or entered, which takes microseconds: one for all is enough.
_SWITCHING = threading.RLock()

_ON, _OFF, _RESTART = "on", "off", "restart"
_WORDS = {"start": _ON, "on": _ON, "true": _ON, "stop": _OFF, "off": _OFF, "false": _OFF, "restart": _RESTART}


def checked_status(key: str, value: object) -> str:
    """Return `on`, `off` or `restart` for what a person may call them.

    Raises:
        DriplineValueError: it is something else.
    """
    word = _WORDS.get(str(value).lower()) if isinstance(value, (str, bool)) else None
    if word is None:
        raise DriplineValueError(f"{key} must be start or on, stop or off, restart, true or false, not {value!r:.80}")
    return word


def checked_interval(key: str, value: object) -> int | float:
    """Return the time between two actions, s; 0 is never.

    Raises:
        DriplineValueError: it is something else, or so short that there would be nothing but actions.
    """
    interval = checked_number(key, value, 0, "seconds")
    if 0 < interval < SHORTEST_INTERVAL:
        raise DriplineValueError(f"{key} must be 0, which is never, or at least {SHORTEST_INTERVAL:g} seconds")
    return interval


class Scheduler:
    """A periodic action on the lane of an endpoint.

    A class of one's own derives from an Endpoint and from this class, sets `schedule_interval` in its constructor and
    overrides `scheduled_action`.
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset(
        {"scheduled_action", "switch", "starts_by_itself", "interval_key", "status_key"}
    )
    interval_key: ClassVar[str] = "schedule_interval"
    status_key: ClassVar[str] = "schedule_status"

    if TYPE_CHECKING:  # what an Endpoint, the other base of such a class, has

        @property
        def name(self) -> str:
            """Name of the endpoint."""

        @property
        def service(self) -> Any:
            """The service that it is part of."""

    # What an object gets when it is switched on stands here until then: Python keeps up to 29 attributes of an object
    # in a fifth of the memory that more of them take, and a service may hold 10,000 (tests/bench start_up).
    # Of what is entered at present; None is off. Whatever else was entered finds that it is no longer meant.
    _token: object | None = None
    _cancel: Callable[[], None] | None = None
    _due = 0.0
    _last = 0.0
    _last_failure: str | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._interval: int | float = 0.0

    @property
    def schedule_interval(self) -> float:
        """Time between actions, in seconds; 0 is never."""
        return self._interval

    @schedule_interval.setter
    def schedule_interval(self, value: float) -> None:
        self._set_interval(float(checked_interval(self.interval_key, value)))

    @property
    def schedule_status(self) -> bool:
        """Whether the action is run periodically; set: start or on, stop or off, restart, true or false."""
        return self._token is not None

    @schedule_status.setter
    def schedule_status(self, value: Any) -> None:
        self.switch(checked_status(self.status_key, value))

    @property
    def starts_by_itself(self) -> bool:
        """Whether it is switched on when its service is on the mesh."""
        return False

    def scheduled_action(self) -> None:
        """Do what is to be done periodically."""
        raise NotImplementedError

    def switch(self, status: str, delay: float = 0.0) -> None:
        """Switch `on`, `off`, or `restart`; any thread. To switch on what is on does nothing.

        Args:
            status: one of these words.
            delay: time until the first action, s.

        Raises:
            DriplineValueError: its interval is 0, or it is in no service.
        """
        with _SWITCHING:
            if status == _OFF:
                self._forget()
            elif status == _RESTART or self._token is None:
                self._begin(delay)

    def _begin(self, delay: float) -> None:
        if not self._interval > 0:
            raise DriplineValueError(f"{self.interval_key} must be above 0 seconds to switch it on")
        if self.service is None:
            raise DriplineValueError("it is in no service, which would be its clock")
        self._schedule_begins()
        first = self.service.monotonic() + delay
        self._last = first - self._interval
        self._enter(first)

    def _schedule_begins(self) -> None:
        """Forget what earlier actions found."""

    def _forget(self) -> None:
        self._token = None
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _enter(self, due: float) -> None:
        self._forget()
        self._token = token = object()
        self._due = due
        delay = max(0.0, due - self.service.monotonic())
        try:
            self._cancel = self.service.call_later(delay, partial(self._tick, token), endpoint=self)
        except DriplineError:  # the service is not on the mesh yet: nothing will come, and nobody must think so
            self._token = None
            raise

    def _set_interval(self, interval: float) -> None:
        with _SWITCHING:
            self._interval = interval
            if self._token is None:
                return
            if interval > 0:
                self._enter(max(self._last + interval, self.service.monotonic()))
            else:
                logger.info("%s: %s is 0, which switches it off", self.name, self.interval_key)
                self._forget()

    def _tick(self, token: object) -> None:
        if token is not self._token:
            return
        self._last = self._due
        try:
            self.scheduled_action()
        except BaseException as err:  # noqa: BLE001 - even one that a library ends the program with: the next is due
            self._failed(err)
        else:
            self._succeeded()
        with _SWITCHING:
            if token is self._token:
                missed = max(0.0, self.service.monotonic() - self._due) // self._interval
                self._enter(self._due + (missed + 1) * self._interval)

    def _failed(self, error: BaseException) -> None:
        _, text, _ = reply_fields(error)
        # An instrument that is off for a week must not fill the log.
        repeated = text == self._last_failure
        self._last_failure = text
        level = logging.DEBUG if repeated else logging.ERROR
        logger.log(level, "%s: its periodic action failed, and is tried again: %s%s", self.name, text, place_of(error))
        if not isinstance(error, DriplineError):
            logger.debug("%s: its periodic action failed", self.name, exc_info=error)

    def _succeeded(self) -> None:
        if self._last_failure is not None:
            self._last_failure = None
            logger.warning("%s: its periodic action succeeds again", self.name)


def switch_all(schedulers: Iterable[Scheduler], status: str) -> dict[str, str]:
    """Switch several, their first actions spread over their intervals.

    Returns:
        For each name what it is then, `on` or `off`, with the reason where it cannot be switched on.
    """
    several = list(schedulers)
    report: dict[str, str] = {}
    for number, scheduler in enumerate(several):
        try:
            scheduler.switch(status, scheduler.schedule_interval * number / len(several))
        except DriplineValueError as err:
            report[scheduler.name] = f"{_OFF} ({err})"
        else:
            report[scheduler.name] = _ON if scheduler.schedule_status else _OFF
    return report

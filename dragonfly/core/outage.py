"""What is done when the mesh is away for too long: a heater must not stay on because nobody can reach it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from dragonfly.core.calls import BrokerLost, Call

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05


class Outage:
    """Runs the calls of `on_broker_lost`, once for each outage that lasts.

    Args:
        name: the service's.
        lost: what to call, and after how long; None is nothing.
        later: does something after a time, in s; its result cancels it.
        call: calls, and waits for it.
    """

    def __init__(
        self,
        name: str,
        lost: BrokerLost | None,
        later: Callable[[float, Callable[[], None]], Callable[[], None]],
        call: Callable[[list[Call]], object],
    ) -> None:
        self._name = name
        self._lost = lost
        self._later = later
        self._call = call
        self._cancel: Callable[[], None] | None = None
        self._calling: threading.Thread | None = None

    def begin(self) -> None:
        """Note that the mesh is away; it may be said several times. I/O thread."""
        if self._cancel is None and self._lost is not None:
            self._cancel = self._later(self._lost.after, partial(self._run, self._lost))

    def end(self) -> None:
        """Note that the mesh is there again, or that the service stops."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def finish(self, timeout: float, hurried: Callable[[], bool]) -> None:
        """Wait for calls that are under way: what is called at a stop comes after them.

        Args:
            timeout: how long to wait, s.
            hurried: tells that nobody wants to wait any more.
        """
        deadline = time.monotonic() + timeout
        while self._calling is not None and self._calling.is_alive():
            if hurried() or time.monotonic() >= deadline:
                return
            self._calling.join(_POLL_SECONDS)

    def _run(self, lost: BrokerLost) -> None:
        text = "%s has been away from the mesh for %g s: what on_broker_lost asks for is called"
        logger.critical(text, self._name, lost.after)
        # The clock's thread must not wait for instruments.
        name = f"{self._name} outage"
        self._calling = threading.Thread(target=self._call, args=(lost.calls,), name=name, daemon=True)
        self._calling.start()

"""The endpoints of a service, as what is started before it goes onto the mesh and stopped after it has left.

Rules:
1. Parents are started before what they hold, and stopped after it.
2. One that fails does not keep the others from being started, or from being stopped.
3. What was never started is not stopped; what failed to start is, since it may have got half-way.
4. Who asks for a stop meanwhile need not wait for those whose turn has not come: they are not started any more. Who
   asks twice by a signal need not wait for the one that is being started, either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from dragonfly.core.constants import LEVEL_NOTICE
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, place_of, reply_fields
from dragonfly.core.request_job import attempt_call

# What these lines say is said of the service, whatever file they stand in.
logger = logging.getLogger("dragonfly.core.service")


class Instruments:
    """Starts and stops endpoints, each once."""

    def __init__(self) -> None:
        self._started: list[Endpoint] = []
        self._stopped = False
        # A stop that comes from another thread waits until the one that is being started is.
        self._working = threading.Lock()
        # The one that is being started, and the thread that does it.
        self._starting: tuple[Endpoint, int] | None = None

    def start(self, endpoints: Iterable[Endpoint], is_over: Callable[[], bool]) -> None:
        """Start endpoints, parents first.

        Args:
            endpoints: in the order in which they are started.
            is_over: tells that nobody wants the service any more.

        Raises:
            KeyboardInterrupt: `hurry` interrupted it.
            Exception: what an endpoint's class raised, unless it was a DriplineError or an OSError: its instrument may
                be off, which is no reason not to serve the others.
        """
        for endpoint in endpoints:
            with self._working:
                if self._stopped or is_over():
                    return
                self._started.append(endpoint)
                self._starting = endpoint, threading.get_ident()
                try:
                    endpoint.start()
                except (DriplineError, OSError) as err:
                    _complain(endpoint, "started", err)
                finally:
                    self._starting = None

    def hurry(self, times: int, call: Callable[[Callable[[], None]], None]) -> None:
        """Take note that a stop is asked for while an endpoint is being started, maybe for ever.

        Args:
            times: how often it was asked for.
            call: has something done on another thread.

        Raises:
            KeyboardInterrupt: it was not the first time, and a signal interrupts the very thread that starts it.
        """
        starting = self._starting
        if starting is None:
            return
        endpoint, thread = starting
        if times == 1:  # what writes the log may be in use by the thread that the signal interrupts
            text = "waiting for %s, which is being started; a second Ctrl-C does not wait"
            call(lambda: logger.log(LEVEL_NOTICE, text, endpoint.name))
        elif thread == threading.get_ident():
            raise KeyboardInterrupt

    def stop(self) -> None:
        """Stop all that were started, the last one first; each is, whatever another's class does."""
        with self._working:
            self._stopped = True
            while self._started:
                endpoint = self._started.pop()
                _, error = attempt_call(endpoint.stop)
                if error is not None:
                    _complain(endpoint, "stopped", error)


def _complain(endpoint: Endpoint, done: str, error: BaseException) -> None:
    _, text, _ = reply_fields(error)
    logger.error("%s could not be %s: %s%s", endpoint.name, done, text, place_of(error))
    logger.debug("%s could not be %s", endpoint.name, done, exc_info=error)

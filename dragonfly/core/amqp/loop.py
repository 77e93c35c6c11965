"""pika's I/O loop, which is woken only where it sleeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika.adapters.select_connection import IOLoop


class Loop(IOLoop):  # type: ignore[misc]
    """An I/O loop whose other threads wake it only where it waits for the system.

    pika wakes it, with a byte through a pair of sockets, for each thing that another thread hands over, also while it
    is at work and will look at what was handed over next. Under load nearly all of these bytes are for nothing, and
    each is two calls of the system and two changes of thread (tests/bench pipelined_get).
    """

    def __init__(self) -> None:
        super().__init__()
        # Raised before it looks whether there is anything to do: who hands something over after that look sees it.
        self._may_sleep = True
        poller: Any = self._poller
        self._seconds_to_wait: Callable[[], float] = poller._get_max_wait
        self._dispatch: Callable[[Any], None] = poller._dispatch_fd_events
        poller._get_max_wait = self._before_it_waits
        poller._dispatch_fd_events = self._when_it_woke

    def add_callback_threadsafe(self, callback: Callable[[], None]) -> None:
        """Have something done soon; any thread."""
        self._callbacks.append(callback)
        if self._may_sleep:
            self._poller.wake_threadsafe()

    # pika's own name for it where the thread is the loop's.
    add_callback = add_callback_threadsafe

    def finish(self) -> None:
        """Do what was handed over and not done when the loop ended; its own thread."""
        for _ in range(len(self._callbacks)):
            self._callbacks.popleft()()

    def _before_it_waits(self) -> float:
        self._may_sleep = True
        return self._seconds_to_wait()

    def _when_it_woke(self, events: Any) -> None:
        self._may_sleep = False
        self._dispatch(events)

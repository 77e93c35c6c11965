"""How a service leaves the mesh.

Rules, in this order:
1. Take from the queue what is still there, so that it is answered, and cancel the consumption, which deletes the queue:
   from then on the broker tells callers that nobody is there.
2. Let what runs finish, for a time.
3. Flush: wait until the broker has confirmed replies and alerts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.lane import Lane

DRAIN_SECONDS = 1.0
FLUSH_SECONDS = 2.0
_POLL_SECONDS = 0.02


def drain(connection: Connection, consumer: Consumer) -> None:
    """Cancel the consumption when the queue is empty, after 1 s at the latest; any thread but the I/O thread."""
    empty = threading.Event()
    cancelled = threading.Event()

    def look() -> None:
        if connection.is_up:
            consumer.count(judge)
        else:
            empty.set()

    def judge(count: int) -> None:
        if count:
            connection.call_later(_POLL_SECONDS, look)
        else:
            empty.set()

    connection.call(look)
    empty.wait(DRAIN_SECONDS)
    connection.call(lambda: consumer.cancel(cancelled.set))
    cancelled.wait(DRAIN_SECONDS)


def finish(lanes: Iterable[Lane], timeout: float, hurried: Callable[[], bool]) -> list[str]:
    """Wait until nothing runs, `timeout` s or until `hurried` at most; return the names of lanes that still run."""
    lanes = list(lanes)
    _wait(lambda: hurried() or all(lane.is_idle for lane in lanes), timeout)
    return [lane.name for lane in lanes if not lane.is_idle]


def flush(connection: Connection, publisher: Publisher) -> None:
    """Wait until the broker has confirmed all that was published, 2 s at most."""
    _wait(lambda: not (connection.is_up and publisher.unfinished), FLUSH_SECONDS)


def _wait(reached: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not reached() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)

"""Listener: a bounded look at what goes over an exchange, for monitors."""

from __future__ import annotations

import logging
import queue
import threading
from types import TracebackType
from uuid import uuid4

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.exceptions import DriplineAMQPConnectionError

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = 100_000
PREFETCH = 1_000
_ACKNOWLEDGE_EVERY = 100


class Listener:
    """A queue of one's own that gets a copy of each message that its keys match.

    The broker bounds it: a listener that does not keep up loses the oldest messages and stops nobody. Messages are
    taken one at a time with `next`; a lost connection comes back by itself.

    Args:
        broker: HOST, HOST:PORT or an AMQP URL; None is localhost.
        exchange: the exchange to listen on.
        keys: binding keys.
        name: shown in the broker's list of connections.
        limit: how many messages the broker keeps for it.

    Raises:
        DriplineValueError: `broker` is no address.
    """

    def __init__(
        self, broker: str | None, exchange: str, keys: list[str], name: str, limit: int = DEFAULT_LIMIT
    ) -> None:
        self._connection = Connection(broker, name)
        declarer = Declarer(self._connection)
        self._consumer = Consumer(
            self._connection,
            declarer,
            f"{name.split('@')[0].replace(' ', '_')}-{uuid4()}",
            [(exchange, key) for key in keys],
            self._deliver,
            arguments={"x-max-length": limit, "x-overflow": "drop-head"},
            prefetch=PREFETCH,
        )
        self._consumer.on_lost = self._connection.drop
        self._incoming: queue.SimpleQueue[tuple[int, Delivery] | ConnectionFailure | None] = queue.SimpleQueue()
        self._is_open = False
        self._begun = threading.Event()
        self._failure: ConnectionFailure | None = None
        self._was_lost = False
        # Delivery tags count anew on each connection, so an acknowledgement belongs to one of them.
        self._round = 0
        self._unacknowledged = 0
        declarer.on_ready.append(self._open)
        declarer.on_refused.append(lambda text: self._refused(0, text))
        self._connection.on_down.append(self._lost)

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Connect; returns when messages flow.

        Raises:
            DriplineAMQPConnectionError: the broker cannot be reached, or refuses us.
        """
        self._connection.start()
        self._begun.wait()
        failure = self._failure
        if failure is not None:
            self.stop()
            raise DriplineAMQPConnectionError(failure.text)

    def stop(self) -> None:
        """Close the connection, which deletes the queue; a `next` that waits returns None."""
        self.wake()
        self._connection.stop()

    def wake(self) -> None:
        """Make a `next` that waits return None; safe in a signal handler."""
        self._incoming.put(None)

    def next(self, timeout: float | None = None) -> Delivery | None:
        """Return the next message, or None where none comes in time or `wake` was called.

        Args:
            timeout: how long to wait, s; None is for ever.

        Raises:
            DriplineAMQPConnectionError: the broker, once it was back, refused us.
        """
        try:
            entry = self._incoming.get(timeout=timeout)
        except queue.Empty:
            return None
        if entry is None:
            return None
        if isinstance(entry, ConnectionFailure):
            raise DriplineAMQPConnectionError(entry.text)
        arrived_in, delivery = entry
        self._acknowledge(arrived_in, delivery.tag)
        return delivery

    def _acknowledge(self, arrived_in: int, tag: int) -> None:
        self._unacknowledged += 1
        if self._unacknowledged < _ACKNOWLEDGE_EVERY and not self._incoming.empty():
            return
        self._unacknowledged = 0
        self._connection.call(lambda: self._consumer.acknowledge(tag) if arrived_in == self._round else None)

    def _open(self) -> None:
        if not self._is_open:  # else the exchanges were only declared again
            self._is_open = True
            self._round += 1
            self._consumer.open(self._opened, self._refused)

    def _opened(self) -> None:
        if self._was_lost:
            logger.warning("listening again; what was said meanwhile is missing")
        self._was_lost = False
        self._begun.set()

    def _refused(self, _code: int, text: str) -> None:
        failure = ConnectionFailure(f"broker {self._connection.address.display} refuses us: {text}", refused=True)
        self._tell(failure)

    def _lost(self, failure: ConnectionFailure) -> None:
        self._is_open = False
        if not self._begun.is_set() or failure.final:
            self._tell(failure)
        elif not self._was_lost:
            self._was_lost = True
            logger.warning("%s; it comes back by itself", failure.text)

    def _tell(self, failure: ConnectionFailure) -> None:
        if self._begun.is_set():
            self._incoming.put(failure)
        else:
            self._failure = failure
            self._begun.set()

    def _deliver(self, delivery: Delivery) -> None:
        self._incoming.put((self._round, delivery))

"""Listener: a bounded look at what goes over an exchange, for monitors."""

from __future__ import annotations

import queue
from types import TracebackType
from uuid import uuid4

from dragonfly.core.amqp.connection import Connection, ConnectionFailure
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.exceptions import DriplineAMQPConnectionError

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
        publisher = Publisher(self._connection)
        self._consumer = Consumer(
            self._connection,
            publisher,
            f"{name.split('@')[0].replace(' ', '_')}-{uuid4()}",
            [(exchange, key) for key in keys],
            self._deliver,
            arguments={"x-max-length": limit, "x-overflow": "drop-head"},
            prefetch=PREFETCH,
        )
        self._consumer.on_lost = self._connection.drop
        self._incoming: queue.SimpleQueue[tuple[int, Delivery] | None] = queue.SimpleQueue()
        self._first: queue.SimpleQueue[ConnectionFailure | None] = queue.SimpleQueue()
        # Delivery tags count anew on each connection, so an acknowledgement belongs to one of them.
        self._round = 0
        self._unacknowledged = 0
        publisher.on_ready.append(self._open)
        publisher.on_refused.append(lambda text: self._refused(0, text))
        self._connection.on_down.append(self._first.put)

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
        failure = self._first.get()
        if failure is not None:
            self.stop()
            raise DriplineAMQPConnectionError(failure.text)

    def stop(self) -> None:
        """Close the connection, which deletes the queue."""
        self._connection.stop()
        self.wake()

    def wake(self) -> None:
        """Make a `next` that waits return None; safe in a signal handler."""
        self._incoming.put(None)

    def next(self, timeout: float | None = None) -> Delivery | None:
        """Return the next message, or None where none comes in time or `wake` was called.

        Args:
            timeout: how long to wait, s; None is for ever.
        """
        try:
            entry = self._incoming.get(timeout=timeout)
        except queue.Empty:
            return None
        if entry is None:
            return None
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
        self._round += 1
        self._consumer.open(lambda: self._first.put(None), self._refused)

    def _refused(self, _code: int, text: str) -> None:
        self._first.put(
            ConnectionFailure(f"broker {self._connection.address.display} refuses us: {text}", refused=True)
        )

    def _deliver(self, delivery: Delivery) -> None:
        self._incoming.put((self._round, delivery))

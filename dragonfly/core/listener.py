"""Listener: a bounded look at what goes over an exchange, for monitors."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from uuid import uuid4

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.declarer import PASSING, Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.broker_address import Broker
from dragonfly.core.constants import EXCHANGES
from dragonfly.core.exceptions import DriplineAMQPConnectionError
from dragonfly.core.waker import SLICE_SECONDS

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = 100_000
PREFETCH = 1_000
# So many messages at most are handed over at a time.
BURST = 500
# Somebody may delete an exchange and make it again, which takes the bindings with it and tells nobody.
BIND_AGAIN_SECONDS = 30.0


class Listener:
    """A queue of one's own that gets a copy of each message that its keys match.

    The broker bounds it: a listener that does not keep up loses the oldest messages and stops nobody. Messages are
    taken one at a time with `next`, or all that have come with `next_burst`; a lost connection comes back by itself.

    Args:
        broker: HOST, HOST:PORT or an AMQP URL, or several to try in turn; None is localhost.
        exchange: the exchange to listen on, or several.
        keys: binding keys.
        name: shown in the broker's list of connections.
        limit: how many messages the broker keeps for it.

    Raises:
        DriplineValueError: `broker` is no address.
    """

    def __init__(
        self, broker: Broker, exchange: str | Sequence[str], keys: list[str], name: str, limit: int = DEFAULT_LIMIT
    ) -> None:
        exchanges = [exchange] if isinstance(exchange, str) else exchange
        self._connection = Connection(broker, name)
        declarer = Declarer(self._connection)
        # Those are always made again; another one may never have been there.
        self._is_of_mesh = set(exchanges) <= set(EXCHANGES)
        self._queue_prefix = name.split("@")[0].replace(" ", "_")
        self._consumer = Consumer(
            self._connection,
            declarer,
            f"{self._queue_prefix}-{uuid4()}",
            [(each, key) for each in exchanges for key in keys],
            self._deliver,
            arguments={"x-max-length": limit, "x-overflow": "drop-head"},
            prefetch=PREFETCH,
        )
        self._consumer.on_lost = self._connection.drop
        self._incoming: queue.SimpleQueue[Delivery | ConnectionFailure | None] = queue.SimpleQueue()
        self._is_open = False
        # Counts connections: what an earlier one started has no say in this one.
        self._round = 0
        self._begun = threading.Event()
        self._failure: ConnectionFailure | None = None
        self._was_lost = False
        self._taken: Delivery | None = None
        self._is_acknowledging = False
        self._again = declarer.again
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
        burst = self._take(timeout, 1)
        return burst[0] if burst else None

    def next_burst(self, timeout: float | None = None) -> list[Delivery]:
        """Return the messages that have come, up to BURST of them; none where none comes in time or at a `wake`.

        Args:
            timeout: how long to wait for the first, s; None is for ever.

        Raises:
            DriplineAMQPConnectionError: the broker, once it was back, refused us.
        """
        return self._take(timeout, BURST)

    def _take(self, timeout: float | None, most: int) -> list[Delivery]:
        burst: list[Delivery] = []
        try:
            entry = self._first(timeout)
            while isinstance(entry, Delivery):
                burst.append(entry)
                if len(burst) == most:
                    break
                entry = self._incoming.get_nowait()
        except queue.Empty:
            entry = None
        if burst:
            self._acknowledge(burst[-1])
        if isinstance(entry, ConnectionFailure):
            if not burst:
                raise DriplineAMQPConnectionError(entry.text)
            self._incoming.put(entry)  # after the messages that came before it
        return burst

    def _first(self, timeout: float | None) -> Delivery | ConnectionFailure | None:
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            try:
                # In slices, for the signals that end a monitor: see Waker.
                return self._incoming.get(timeout=min(max(0.0, left), SLICE_SECONDS))
            except queue.Empty:
                if left <= SLICE_SECONDS:
                    raise

    def _acknowledge(self, delivery: Delivery) -> None:
        self._taken = delivery
        if not self._is_acknowledging:
            # One at a time: where messages come fast, each acknowledges many.
            self._is_acknowledging = True
            self._connection.call(self._acknowledge_taken)

    def _acknowledge_taken(self) -> None:
        # Lowered first: who takes a message from now on raises it again, and none stays unacknowledged.
        self._is_acknowledging = False
        if self._taken is not None:
            self._consumer.acknowledge(self._taken)

    def _open(self) -> None:
        if not self._is_open:  # else the exchanges were only declared again
            self._is_open = True
            self._consumer.rename(f"{self._queue_prefix}-{uuid4()}")
            self._consumer.open(self._opened, self._refused)

    def _opened(self) -> None:
        if self._was_lost:
            logger.warning("listening again; what was said meanwhile is missing")
        self._was_lost = False
        self._begun.set()
        self._round += 1
        self._bind_again_later(self._round)

    def _bind_again_later(self, this_round: int) -> None:
        def bind_again() -> None:
            if self._is_open and this_round == self._round:
                if self._connection.blocked is None:
                    self._consumer.bind_again()
                self._bind_again_later(this_round)

        self._connection.call_later(BIND_AGAIN_SECONDS, bind_again)

    def _open_again(self) -> None:
        self._is_open = False
        self._open()

    def _refused(self, code: int, text: str) -> None:
        if code in PASSING and (self._is_of_mesh or self._begun.is_set()):
            logger.warning("the queue %s is declared again: %s", self._consumer.queue, text)
            self._again(self._open_again)
            return
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
        self._incoming.put(delivery)

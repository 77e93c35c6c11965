"""The queue of an alert consumer, and the thread on which its alerts are handled.

Rules:
1. Alerts are handled one after another, in the order in which they came, on a thread that nothing else uses; never on
   the I/O thread. The broker hands over 1,000 at a time, which bounds what this process holds; of a durable queue, 100,
   since they come again after a crash, and others may consume it as well.
2. An alert is acknowledged when its handler has returned; several at once where they come fast.
3. On each connection the queue and its bindings are made again: a restarted broker has lost the bindings even of
   durable queues. They are made again every 30 s as well, since somebody may have deleted the exchange and made it
   again, which takes the bindings with it and tells nobody.
4. What a former channel of a durable queue delivered, and was not handled yet, comes again: it is passed over.
5. An alert that its handler cannot take now is tried again until it can; the others wait behind it.
6. A queue that is another's (405) is tried again for three heartbeats plus 5 s: so long a half-open link may hold it.
   One that cannot be reached (404), since the node of a cluster that has it is down, is tried again until it can.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.constants import ALERTS
from dragonfly.core.exceptions import DriplineBusyError, DriplineError, DriplineStoppingError
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.service_presence import Wire

logger = logging.getLogger(__name__)

# How many alerts may be here unhandled. With 100 a consumer waits for the next ones: 10,400 a second instead of 13,500
# (tests/bench alert_consumer).
PREFETCH = 1_000
PREFETCH_DURABLE = 100
# How many alerts the broker keeps in a queue that is not durable.
LIMIT = 100_000
BIND_AGAIN_SECONDS = 30.0
RETRY_SECONDS = 1.0
HALF_OPEN_SECONDS = 5.0
REOPEN_SECONDS = 0.1
# Between two tries of an alert that its handler cannot take now, s; twice as long each time.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
_LOCKED = 405
_NOT_FOUND = 404
_NOT_IMPLEMENTED = 540


class AlertQueue:
    """Takes alerts from a queue and hands them over one after another.

    Args:
        wire: the connection and its channels.
        name: of the queue.
        keys: binding keys.
        durable: whether the queue keeps alerts while nobody consumes it.
        handle: called with each alert on the thread of the alerts; it must not raise. Where it returns False it is
            called with the same alert again, after a while.
        on_failed: called on the I/O thread with a sentence where the broker does not allow the queue.
    """

    def __init__(
        self,
        wire: Wire,
        name: str,
        keys: list[str],
        durable: bool,
        handle: Callable[[Delivery], bool],
        on_failed: Callable[[str], None],
    ) -> None:
        arguments: dict[str, Any] = {"x-max-length": LIMIT, "x-overflow": "drop-head"}
        self._consumer = Consumer(
            wire.connection,
            wire.declarer,
            name,
            [(ALERTS, key) for key in keys],
            self._deliver,
            arguments=None if durable else arguments,
            prefetch=PREFETCH_DURABLE if durable else PREFETCH,
            durable=durable,
        )
        self._consumer.on_lost = self._lost
        self._connection = wire.connection
        self._connection.on_down.append(self._went_down)
        self._durable = durable
        self._handle = handle
        self._on_failed = on_failed
        self._pool = LanePool(name, max_threads=1)
        self.lane = Lane(name, self._pool)
        # Counts openings: what an earlier one started has no say in this one.
        self._round = 0
        self._is_open = False
        self._is_opening = False
        self._then: Callable[[], None] = _nothing
        self._locked_since: float | None = None
        self._complaint = ""
        self._stopped = threading.Event()
        self._handled: Delivery | None = None
        self._is_acknowledging = False

    @property
    def is_open(self) -> bool:
        """Whether alerts flow."""
        return self._is_open

    def open(self, then: Callable[[], None]) -> None:
        """Declare, bind and consume, and call `then` when alerts flow; I/O thread."""
        self._then = then
        self._locked_since = None
        # Opened twice at a time, it would be consumed by two channels, of which one is acknowledged.
        if not self._is_opening:
            self._open()

    def stop_consuming(self) -> None:
        """Begin no alert any more; what was not handled stays in a durable queue. Any thread."""
        self._stopped.set()
        self._connection.call(lambda: self._consumer.cancel(_nothing))

    def stop_thread(self, timeout: float) -> None:
        """End the thread, where it is idle; wait at most `timeout` s."""
        self._pool.stop(timeout if self.lane.is_idle else 0.0)

    def is_refused(self, failure: ConnectionFailure) -> bool:
        """Tell whether the connection was closed because the broker has no such queues; I/O thread."""
        return self._is_opening and failure.code == _NOT_IMPLEMENTED

    def _goes_on(self, this_round: int) -> bool:
        return this_round == self._round and not self._stopped.is_set()

    def _open(self) -> None:
        self._round += 1
        self._is_opening = True
        self._consumer.open(partial(self._opened, self._round), partial(self._refused, self._round))

    def _open_later(self, seconds: float, text: str) -> None:
        if text != self._complaint:  # else it was said
            logger.warning("the queue %s is opened again: %s", self._consumer.queue, text)
        self._complaint = text
        this_round = self._round
        self._connection.call_later(seconds, lambda: self._open() if self._goes_on(this_round) else None)

    def _opened(self, this_round: int) -> None:
        if self._goes_on(this_round):
            self._is_open, self._is_opening = True, False
            self._complaint = ""
            self._bind_again_later(this_round)
            then, self._then = self._then, _nothing
            then()

    def _refused(self, this_round: int, code: int, text: str) -> None:
        if not self._goes_on(this_round):
            return
        self._is_opening = False
        now = time.monotonic()
        if self._locked_since is None:
            self._locked_since = now
        patience = 3 * self._connection.heartbeat + HALF_OPEN_SECONDS
        if code == _NOT_FOUND or (code == _LOCKED and now - self._locked_since <= patience):
            self._open_later(RETRY_SECONDS, text)
        else:
            self._on_failed(f"the broker refuses the queue {self._consumer.queue}: {text}")

    def _bind_again_later(self, this_round: int) -> None:
        def bind_again() -> None:
            if self._goes_on(this_round) and self._is_open:
                if self._connection.blocked is None:
                    self._consumer.bind_again()
                self._bind_again_later(this_round)

        self._connection.call_later(BIND_AGAIN_SECONDS, bind_again)

    def _lost(self, text: str) -> None:
        was_open, self._is_open = self._is_open, False
        self._discard()
        if not self._stopped.is_set():
            self._locked_since = None
            self._open_later(REOPEN_SECONDS if was_open else RETRY_SECONDS, text)

    def _went_down(self, _failure: ConnectionFailure) -> None:
        self._round += 1
        self._is_open = self._is_opening = False
        self._discard()

    def _discard(self) -> None:
        if self._durable:
            self.lane.discard(DriplineStoppingError("the channel is gone: the broker delivers it again"))

    def _deliver(self, delivery: Delivery) -> None:
        if self._stopped.is_set():
            return
        try:
            self.lane.put(partial(self._take, delivery), _pass_over)
        except DriplineBusyError as err:
            self._refuse(delivery, err)

    def _refuse(self, delivery: Delivery, reason: DriplineBusyError) -> None:
        """Pass an alert over that found no room: a handler hangs while connections are lost, or no thread is left."""
        if not self._durable:
            logger.error("the alert %s is not handled: %s", delivery.routing_key, reason)
        elif self._consumer.is_current(delivery):
            # It must not be acknowledged together with the next one: let all come again, after a while.
            self._is_open = False
            self._consumer.give_back()

    def _take(self, delivery: Delivery) -> None:
        if self._stopped.is_set() or (self._durable and not self._consumer.is_current(delivery)):
            return
        pause = FIRST_PAUSE
        while not self._handle(delivery):
            if self._stopped.wait(pause) or (self._durable and not self._consumer.is_current(delivery)):
                return
            pause = min(2 * pause, LONGEST_PAUSE)
        self._handled = delivery
        if not self._is_acknowledging:
            self._is_acknowledging = True
            self._connection.call(self._acknowledge)

    def _acknowledge(self) -> None:
        # Lowered first: who handles an alert from now on raises it again, and none stays unacknowledged.
        self._is_acknowledging = False
        if self._handled is not None:
            self._consumer.acknowledge(self._handled)


def _nothing() -> None:
    """Do nothing."""


def _pass_over(_reason: DriplineError) -> None:
    """Take note that an alert's turn does not come, which is what a stop wants."""

"""The channel that replies go out on.

A reply is not confirmed one by one: that would cost the broker and us as much as a tenth of a get (tests/bench
pipelined_get), and nobody is told. What the broker does for one channel it does in turn, though. So it is asked now and
then for something that changes nothing, and its answer, the mark, says that it has all replies that went out before.

Rules, besides those of every channel that publishes (outgoing_channel.py):
1. A mark is asked for 0.05 s after a reply, or where 500 are in flight; one at a time.
2. A reply is in flight until the mark that follows it.
3. How many replies were given up, or were in flight when the connection ended and may have arrived, is said once: when
   replies go out again.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.outgoing_channel import OutgoingChannel
from dragonfly.core.amqp.packet import Outcome, Outgoing

logger = logging.getLogger(__name__)

_MARK_SECONDS = 0.05
_MARK_AFTER = 500


class ReplyPublisher(OutgoingChannel):
    """Publishes replies.

    Args:
        connection: the connection; the publisher follows its ups and downs.
        declarer: makes the exchanges.
    """

    def __init__(self, connection: Connection, declarer: Declarer) -> None:
        super().__init__(connection, declarer)
        self._in_flight: deque[Outgoing] = deque()
        # How many of them went out before the mark that was asked for; 0 where none was.
        self._marked = 0
        self._mark_planned = False
        self._lost = 0

    def settle(self) -> None:
        """Ask for a mark at once: nothing more will be said, and somebody waits for the end."""
        self._mark()

    @property
    def _number_in_flight(self) -> int:
        return len(self._in_flight)

    def _prepare(self, _channel: Any) -> None:
        self._marked = 0

    def _send(self, outgoing: Outgoing) -> None:
        self._in_flight.append(outgoing)
        self._out(outgoing)
        self._plan_mark()

    def _plan_mark(self) -> None:
        if len(self._in_flight) >= _MARK_AFTER:
            self._mark()
        elif not self._mark_planned:
            self._mark_planned = True
            self._connection.call_later(_MARK_SECONDS, self._mark_as_planned)

    def _mark_as_planned(self) -> None:
        self._mark_planned = False
        self._mark()

    def _mark(self) -> None:
        channel = self._channel
        if self._in_flight and not self._marked and channel is not None and channel.is_open:
            self._marked = len(self._in_flight)
            # Nothing is consumed on this channel: how much may be delivered at once means nothing.
            channel.basic_qos(callback=lambda frame: self._on_mark(channel))

    def _on_mark(self, channel: Any) -> None:
        if channel is not self._channel:
            return
        marked, self._marked = self._marked, 0
        for _ in range(marked):
            outgoing = self._in_flight.popleft()
            self._landed(outgoing)
            self._confirmed(outgoing)
        self._go_on()
        if self._in_flight:
            self._plan_mark()

    def _take_in_flight(self) -> list[Outgoing]:
        in_flight = list(self._in_flight)
        self._in_flight.clear()
        return in_flight

    def _send_kept(self) -> None:
        super()._send_kept()
        lost, self._lost = self._lost + self._waiting.take_dropped(), 0
        if lost:
            logger.warning("%d replies may be lost: the connection ended, or they waited too long for the broker", lost)

    def _forget(self, outgoing: Outgoing, reason: str) -> None:
        self._lost += 1
        super()._forget(outgoing, reason)

    def _confirmed(self, outgoing: Outgoing) -> None:
        outgoing.finish(Outcome.CONFIRMED)

    def _refused(self, outgoing: Outgoing, text: str) -> None:
        outgoing.finish(Outcome.REFUSED, text)

"""The channel that something goes out on, and what waits for it.

Rules:
1. A channel that was closed is opened again at once, and on each connection.
2. A publish that the broker refuses (403, 404, 406) closes the channel, and the broker discards what follows it there.
   Only that message fails: what was before it stands, what was after it is published once more on the next channel.
   Where the broker's text does not tell which one it was, all that were in flight end as when the connection is lost.
3. While there is no channel, or the broker takes no messages, or too much of ours is on its way, a message waits as
   long as its `keep` says.
4. Too much is on its way from the moment when there is more than below until it is less than half of that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from dragonfly.core.amqp.backlog import CANCELLED, Backlog
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Outcome, Outgoing
from dragonfly.core.amqp.refusal import is_meant, names_one, words_of

DEFAULT_BACKLOG = 10_000
# What may be on its way, in number and bytes: on a slow line all of it is in pika's buffer, which has no bound. A
# broker takes some 10,000 small messages a second.
MOST_IN_FLIGHT = 100_000
MOST_BYTES_IN_FLIGHT = 64 << 20
# How long a message may wait for its turn behind others although there is a connection, s.
_TURN = 1.0
_NO_EXCHANGE = 404
_CLOSED = "the connection was closed"


class OutgoingChannel(ABC):
    """What all that publish have in common; everything but `submit` runs on the I/O thread.

    Args:
        connection: the connection, whose ups and downs it follows.
        declarer: makes the exchanges.
    """

    def __init__(self, connection: Connection, declarer: Declarer) -> None:
        self._connection = connection
        self._declarer = declarer
        self._waiting = Backlog(DEFAULT_BACKLOG)
        self._channel: Any = None
        self._outbox: deque[Outgoing] = deque()
        self._flush_scheduled = False
        self._bytes_in_flight = 0
        self._is_full = False
        self._is_over = False
        connection.on_up.append(self._came_up)
        connection.on_down.append(self._went_down)
        connection.on_unblocked.append(self._send_kept)
        declarer.on_ready.append(self._send_kept)

    @property
    def unfinished(self) -> int:
        """How many messages the broker has not yet said a word about, or not yet been given."""
        return self._number_in_flight + len(self._outbox) + len(self._waiting)

    def submit(self, outgoing: Outgoing) -> None:
        """Publish a message soon; any thread. What several threads submit goes out in one burst."""
        self._outbox.append(outgoing)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._connection.call(self._flush)

    def publish(self, outgoing: Outgoing) -> None:
        """Publish a message, or keep it, or tell that it cannot be sent."""
        backlog = self._backlog_of(outgoing)
        if outgoing.cancelled:
            outgoing.finish(Outcome.LOST, CANCELLED)
        elif self._can_send() and not len(backlog):
            self._send(outgoing)
        elif self._is_over:
            self._forget(outgoing, _CLOSED)
        elif self._connection.is_up or outgoing.keep:
            outgoing.may_wait(_TURN)
            backlog.add(outgoing)
        else:
            self._forget(outgoing, "there is no connection to the broker")

    @property
    @abstractmethod
    def _number_in_flight(self) -> int:
        """How many messages the broker has not said a word about."""

    @abstractmethod
    def _prepare(self, channel: Any) -> None:
        """Make ready a channel that was opened just now."""

    @abstractmethod
    def _send(self, outgoing: Outgoing) -> None:
        """Publish a message on the channel, which is open."""

    @abstractmethod
    def _take_in_flight(self) -> list[Outgoing]:
        """Return what is in flight, in the order in which it was published, and forget it."""

    @abstractmethod
    def _confirmed(self, outgoing: Outgoing) -> None:
        """Take note that the broker has a message."""

    @abstractmethod
    def _refused(self, outgoing: Outgoing, text: str) -> None:
        """Take note that the broker does not take a message."""

    def _backlog_of(self, _outgoing: Outgoing) -> Backlog:
        return self._waiting

    def _forget(self, outgoing: Outgoing, reason: str) -> None:
        outgoing.finish(Outcome.LOST, reason)

    def _ended(self, in_flight: list[Outgoing], reason: str) -> None:
        """Take care of what was in flight when the connection ended, or when all of it is in doubt."""
        for outgoing in in_flight:
            self._forget(outgoing, reason)

    def _can_send(self) -> bool:
        # What is published in spite of an alarm stays in pika's buffer, too.
        is_open = self._channel is not None and bool(self._channel.is_open) and self._connection.blocked is None
        return is_open and self._declarer.is_ready and not self._is_full

    def _out(self, outgoing: Outgoing) -> None:
        """Hand a message to the connection; it counts as in flight already."""
        outgoing.attempts += 1
        self._bytes_in_flight += len(outgoing.body)
        if self._number_in_flight >= MOST_IN_FLIGHT or self._bytes_in_flight >= MOST_BYTES_IN_FLIGHT:
            self._is_full = True
        self._connection.publish(self._channel, outgoing)

    def _landed(self, outgoing: Outgoing) -> None:
        """Count a message out that the broker said a word about."""
        self._bytes_in_flight -= len(outgoing.body)

    def _go_on(self) -> None:
        """Send what waits because too much was in flight, when it is less than half of that."""
        is_low = 2 * self._number_in_flight < MOST_IN_FLIGHT and 2 * self._bytes_in_flight < MOST_BYTES_IN_FLIGHT
        if self._is_full and is_low:
            self._is_full = False
            self._connection.together(self._send_waiting)

    def _send_kept(self) -> None:
        self._send_waiting()

    def _send_waiting(self) -> None:
        self._send_all_of(self._waiting)

    def _send_all_of(self, backlog: Backlog) -> None:
        while self._can_send():
            outgoing = backlog.take()
            if outgoing is None:
                break
            self._send(outgoing)

    def _flush(self) -> None:
        # Lowered first: who appends from now on raises it again, and nothing is left behind.
        self._flush_scheduled = False
        self._connection.together(self._publish_all)

    def _publish_all(self) -> None:
        while self._outbox:
            self.publish(self._outbox.popleft())

    def _came_up(self) -> None:
        self._open()

    def _open(self) -> None:
        self._connection.open_channel(self._on_open)

    def _on_open(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        self._prepare(channel)
        self._connection.together(self._send_kept)

    def _on_closed(self, channel: Any, reason: Any) -> None:
        if channel is not self._channel or not self._connection.is_up:
            return  # the connection went with it: `_went_down` takes care
        self._channel = None
        code, text = getattr(reason, "reply_code", 0), words_of(reason)
        self._fail_one(text)
        if code == _NO_EXCHANGE:
            self._declarer.declare_exchanges()
        self._open()

    def _fail_one(self, text: str) -> None:
        """Fail the message that closed the channel, and publish again what the broker discarded after it."""
        in_flight = self._all_in_flight()
        meant = [index for index, outgoing in enumerate(in_flight) if is_meant(outgoing, text)]
        if not (len(meant) == 1 or (meant and names_one(text))):  # nobody can tell which, nor what became of the others
            self._ended(in_flight, f"the broker closed the channel: {text}")
            return
        for earlier in in_flight[: meant[0]]:
            self._confirmed(earlier)
        self._refused(in_flight[meant[0]], text)
        # What follows never reached a queue, so nothing runs twice.
        for later in reversed(in_flight[meant[0] + 1 :]):
            later.returned = False
            later.may_wait(_TURN)  # anew: many may be refused, one after the other
            self._backlog_of(later).put_back([later])

    def _went_down(self, failure: ConnectionFailure) -> None:
        self._channel = None
        self._ended(self._all_in_flight(), failure.text)
        if failure.final:
            self._is_over = True
            self._give_up()

    def _all_in_flight(self) -> list[Outgoing]:
        self._bytes_in_flight, self._is_full = 0, False
        return self._take_in_flight()

    def _give_up(self) -> None:
        for outgoing in self._outbox:
            self._forget(outgoing, _CLOSED)
        self._outbox.clear()
        self._waiting.give_up(_CLOSED)

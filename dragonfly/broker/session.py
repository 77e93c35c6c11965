"""One client's connection: bytes in, bytes out, no socket, no clock.

Rules (AMQP 0-9-1, 2.2.4 and 4.2; where RabbitMQ differs, as RabbitMQ does):
1. A client opens with the protocol header. Anything else is answered with ours, and the connection ends.
2. Then start, start-ok, tune, tune-ok, open, open-ok, in this order and within `HANDSHAKE_TIMEOUT`. Who does something
   else gets no answer, except for a wrong password (403) and an unknown virtual host (530).
3. A soft error closes its channel, a hard one the connection. What the client sends there is ignored until its
   close-ok; it has `CLOSE_TIMEOUT` for that.
4. All that a connection had ends at the moment it is closed, from whichever side: first the consumers of all its
   channels, then what was not acknowledged goes back, then its exclusive queues.
5. A client that says nothing for two heartbeats is gone, and so is one that does not even read us: its heartbeats come
   all the same. Whom we do not read, we cannot expect to hear: not while it is held back for want of memory, and one
   that leaves too many answers unread (see peer.py) lives as long as its socket takes something.
"""

from __future__ import annotations

import logging
from enum import Enum, auto

from pika import spec

from dragonfly.broker.channel import PUBLISH, Channel
from dragonfly.broker.errors import Code, ProtocolError
from dragonfly.broker.frames import (
    BODY,
    HEADER,
    HEARTBEAT,
    INDEX,
    METHOD,
    NO_METHOD,
    PROTOCOL_HEADER,
    FrameReader,
    heartbeat_frame,
    method_frame,
    method_ids,
    method_index,
    unexpected_frame,
)
from dragonfly.broker.handshake import Handshake
from dragonfly.broker.methods import perform
from dragonfly.broker.peer import Peer
from dragonfly.broker.virtual_host import VirtualHost

logger = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT = 10.0
CLOSE_TIMEOUT = 5.0


class _State(Enum):
    PROTOCOL_HEADER = auto()
    HANDSHAKE = auto()
    RUNNING = auto()
    CLOSING = auto()
    ENDED = auto()


class Session:
    """The broker's end of one connection.

    Args:
        peer: the client.
        host: exchanges and queues.
        handshake: what is agreed on at the beginning.
        now: the time, s, monotonic.
    """

    def __init__(self, peer: Peer, host: VirtualHost, handshake: Handshake, now: float) -> None:
        self.peer = peer
        self._host = host
        self._handshake = handshake
        self._state = _State.PROTOCOL_HEADER
        self._channels: dict[int, Channel] = {}
        self._reader = FrameReader(peer.frame_max)
        self._opening = b""
        self._deadline = now + HANDSHAKE_TIMEOUT
        self._last_received = self._last_sent = now

    @property
    def is_over(self) -> bool:
        """Whether the connection is to be closed once all is sent."""
        return self._state is _State.ENDED

    @property
    def is_readable(self) -> bool:
        """Whether to read what the client sends: not while it leaves too much unread, or fills a full memory."""
        return not self.peer.asks_too_much and not self.peer.holds_back

    @property
    def held(self) -> int:
        """How many bytes the connection holds beside its queues; 0 where it is about to end anyway."""
        if self._state in (_State.CLOSING, _State.ENDED):
            return 0
        forsaken = sum(channel.deliveries.forsaken for channel in self._channels.values())
        return self.peer.arriving + self.peer.unsent + forsaken

    def receive(self, data: bytes, now: float) -> None:
        """Take what the client sent, and do it."""
        if self.is_over:
            return
        self._host.now = self._last_received = now
        if self._state is _State.PROTOCOL_HEADER:
            data = self._read_protocol_header(data)
        try:
            for kind, number, payload in self._reader.feed(data):
                self._frame(kind, number, payload)
                if self.is_over:
                    break
        except ProtocolError as error:
            self._fail(error)
        if len(self._reader.unfinished) != self.peer.unfinished:
            self.peer.note_unfinished(len(self._reader.unfinished))
        self.peer.finish_turn()
        if self.peer.holds_back and self._state is _State.RUNNING and "connection.blocked" in self.peer.capabilities:
            self.peer.write(method_frame(0, spec.Connection.Blocked("low on memory")))

    def tick(self, now: float) -> None:
        """Look at the clock, about every half second."""
        heartbeat = self._handshake.heartbeat
        if self._state is not _State.RUNNING:
            if now >= self._deadline:
                self._state = _State.ENDED
        elif not heartbeat:
            return
        elif now - self._last_received > 2 * heartbeat and not self.peer.holds_back:
            logger.warning("%s has said nothing for two heartbeats of %s s", self.peer.name, heartbeat)
            self.lost(now)
        elif now - self._last_sent >= heartbeat / 2 and not self.peer.unsent:
            self.peer.write(heartbeat_frame())

    def sent(self, count: int, now: float) -> None:
        """Note that the socket took some bytes."""
        self._last_sent = now
        if self.peer.asks_too_much:
            self._last_received = now  # it reads, and we do not
        if self.peer.sent(count):
            self._host.now = now
            for channel in self._channels.values():
                channel.pump(consumer.queue for consumer in list(channel.deliveries.consumers.values()))

    def unblock(self, now: float) -> None:
        """Read from the client again: there is room in the memory."""
        self.peer.holds_back = False
        self._last_received = now
        if "connection.blocked" in self.peer.capabilities:
            self.peer.write(method_frame(0, spec.Connection.Unblocked()))

    def close(self, error: ProtocolError, now: float) -> None:
        """Close the connection from our side."""
        self._host.now = now
        self._fail(error)

    def give_up(self, error: ProtocolError, now: float) -> None:
        """Close the connection, and let go of all that waits to be written to it, too."""
        self._host.now = now
        self._release()
        self.peer.drop_output()
        self._fail(error)

    def lost(self, now: float) -> None:
        """Let go of all that the connection had: the client is gone."""
        self._host.now = now
        self._state = _State.ENDED
        self._release()

    def _read_protocol_header(self, data: bytes) -> bytes:
        """Return what follows the protocol header, once that is complete."""
        opening = self._opening + data
        size = len(PROTOCOL_HEADER)
        if opening[:size] != PROTOCOL_HEADER[: len(opening)]:
            self.peer.write(PROTOCOL_HEADER)
            self._state = _State.ENDED
            return b""
        if len(opening) < size:
            self._opening = opening
            return b""
        self._state = _State.HANDSHAKE
        self.peer.write(method_frame(0, self._handshake.start()))
        return opening[size:]

    def _frame(self, kind: int, number: int, payload: bytes) -> None:
        channel = self._channels.get(number)
        try:
            if channel is None or channel.is_closing:
                self._other_frame(channel, kind, number, payload)
            elif kind == METHOD:
                perform(channel, payload)
                if channel.is_over:
                    del self._channels[number]
            elif kind == HEADER:
                channel.header(payload)
            elif kind == BODY:
                channel.body(payload)
            else:
                raise unexpected_frame(kind, payload)
        except ProtocolError as error:
            if kind != METHOD and error.method is None:
                error.method = PUBLISH
            if channel is not None and error.is_soft:
                self._close_channel(channel, error)
            else:
                self._fail(error)

    def _other_frame(self, channel: Channel | None, kind: int, number: int, payload: bytes) -> None:
        """Take a frame for the connection itself, or for a channel that is not open."""
        if self._state is _State.CLOSING:
            self._ignore_until_close(kind, number, payload)
        elif kind == HEARTBEAT and not number and not payload:
            return
        elif kind not in (METHOD, HEADER, BODY) or (kind != METHOD and not number):
            raise unexpected_frame(kind, payload)
        elif channel is not None:
            self._ignore_until_close_ok(channel, kind, payload)
        elif not number:
            self._connection_method(payload)
        elif self._state is _State.RUNNING:
            self._open_channel(number, kind, payload)
        else:
            raise ProtocolError(Code.CHANNEL_ERROR, "the connection is not open", NO_METHOD)

    def _open_channel(self, number: int, kind: int, payload: bytes) -> None:
        index = method_index(payload) if kind == METHOD else 0
        if index != spec.Channel.Open.INDEX:
            raise ProtocolError(Code.CHANNEL_ERROR, "expected 'channel.open'", method_ids(index))
        if len(self._channels) >= self._handshake.channel_max:
            reason = (
                f"number of channels opened ({len(self._channels)}) has reached the negotiated channel_max"
                f" ({self._handshake.channel_max})"
            )
            raise ProtocolError(Code.NOT_ALLOWED, reason, method_ids(index))
        channel = self._channels[number] = Channel(number, self.peer, self._host)
        channel.reply(spec.Channel.OpenOk())

    def _connection_method(self, payload: bytes) -> None:
        index = method_index(payload)
        if self._state is _State.HANDSHAKE:
            answer = self._handshake.answer(index, payload[INDEX.size :], self.peer)
            if answer is not None:
                self.peer.write(method_frame(0, answer))
            self._reader.frame_max = self.peer.frame_max
            if self._handshake.is_done:
                self._state = _State.RUNNING
        elif index == spec.Connection.Close.INDEX:
            self._state = _State.ENDED
            self._release()
            self.peer.write(method_frame(0, spec.Connection.CloseOk()))
        else:
            reason = "unexpected method in connection state running"
            raise ProtocolError(Code.CHANNEL_ERROR, reason, method_ids(index))

    def _ignore_until_close(self, kind: int, number: int, payload: bytes) -> None:
        index = method_index(payload) if kind == METHOD and not number else 0
        if index == spec.Connection.Close.INDEX:
            self.peer.write(method_frame(0, spec.Connection.CloseOk()))
        if index in (spec.Connection.Close.INDEX, spec.Connection.CloseOk.INDEX):
            self._state = _State.ENDED

    def _ignore_until_close_ok(self, channel: Channel, kind: int, payload: bytes) -> None:
        index = method_index(payload) if kind == METHOD else 0
        if index == spec.Channel.Close.INDEX:
            channel.reply(spec.Channel.CloseOk())
        if index in (spec.Channel.Close.INDEX, spec.Channel.CloseOk.INDEX):
            del self._channels[channel.number]

    def _close_channel(self, channel: Channel, error: ProtocolError) -> None:
        logger.info("%s, channel %s is closed: %s", self.peer.name, channel.number, error.text)
        channel.end()
        channel.is_closing = True
        channel.reply(spec.Channel.Close(error.code, error.text, *(error.method or NO_METHOD)))

    def _fail(self, error: ProtocolError) -> None:
        """Close the connection for an error."""
        if self._state is _State.CLOSING:
            return  # what comes now may be anything
        level = logging.INFO if error.code is Code.CONNECTION_FORCED else logging.WARNING
        logger.log(level, "%s is closed: %s", self.peer.name, error.text)
        was, self._state = self._state, _State.ENDED
        self._release()
        if was is _State.RUNNING or (was is _State.HANDSHAKE and self._handshake.may_tell(error, self.peer)):
            close = spec.Connection.Close(error.code, error.text, *(error.method or NO_METHOD))
            self.peer.write(method_frame(0, close))
            self._state = _State.CLOSING
            self._deadline = self._host.now + CLOSE_TIMEOUT

    def _release(self) -> None:
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.stop_consuming()
        for channel in channels.values():
            channel.give_all_back()
        for queue in [queue for queue in self._host.queues.values() if queue.owner is self.peer]:
            self._host.delete_queue(queue)
        self.peer.holds_back = False

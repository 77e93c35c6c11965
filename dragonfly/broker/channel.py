"""A channel: messages on their way in, and whom they are delivered to.

Rules:
1. A publish is a method, a header and as many body frames as its size needs; nothing else may come between on this
   channel (AMQP 0-9-1, 4.2.6). It is routed when it is complete.
2. A mandatory message that no queue gets is returned, and only then confirmed.
3. Confirms count the publishes of this channel. They are sent when all that the client had sent was read: one for many.
4. When the channel ends, its consumers go first, which may end their queues; then what was not acknowledged goes back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from pika import spec

from dragonfly.broker.consumer import Deliveries
from dragonfly.broker.errors import Code, ProtocolError, shown
from dragonfly.broker.frames import END, HEAD, INDEX, METHOD, NO_METHOD, method_frame
from dragonfly.broker.message import Message, lifetime
from dragonfly.broker.peer import Peer
from dragonfly.broker.properties import BODY_SIZE, scan
from dragonfly.broker.queue import Entry, Queue
from dragonfly.broker.virtual_host import VirtualHost

MAX_MESSAGE = 32 * 1024 * 1024
PUBLISH = (spec.Basic.INDEX, spec.Basic.Publish.INDEX & 0xFFFF)
_NO_ROUTE = b"".join(spec.Basic.Return(Code.NO_ROUTE, Code.NO_ROUTE.name, "", "").encode()[:-4])
# A whole basic.ack: head, index, tag, multiple, end.
_ACK = struct.Struct(">BHIIQBB")
_ACK_SIZE = _ACK.size - HEAD.size - 1


class Channel:
    """One channel of a connection.

    Args:
        number: its number.
        peer: the client.
        host: exchanges and queues.
    """

    def __init__(self, number: int, peer: Peer, host: VirtualHost) -> None:
        self.number = number
        self.peer = peer
        self.host = host
        self.deliveries = Deliveries(number)
        # For consumers to come.
        self.prefetch = 0
        # The queue that an empty name means.
        self.last_queue = b""
        # Whether we closed it and the client has not yet said that it knows: what it sends is ignored until then.
        self.is_closing = False
        # Whether the client closed it.
        self.is_over = False
        # The arguments of the publish whose frames are coming.
        self._publish: bytes | None = None
        self._header: bytes | None = None
        self._lifetime: float | None = None
        self._missing = 0
        # One growing buffer: a list would keep an object for each frame, empty ones too, whose size nobody counts.
        self._body = bytearray()
        self._confirms = False
        self._published = 0
        self._confirmed = 0

    def reply(self, method: Any) -> None:
        """Send a method to the client."""
        self.peer.write(method_frame(self.number, method))

    def expect_method(self) -> None:
        """Let a method begin.

        Raises:
            ProtocolError: 505, the frames of a message were to come first.
        """
        if self._publish is not None:
            raise self._unexpected()

    def publish(self, arguments: bytes) -> None:
        """Begin a message: basic.publish.

        Args:
            arguments: those of the method, as they stand in its frame.

        Raises:
            ProtocolError: it cannot be routed, or is out of order.
        """
        self.expect_method()
        self.host.route(arguments)
        self._publish = arguments

    def header(self, payload: bytes) -> None:
        """Take the header frame of a message.

        Raises:
            ProtocolError: it is out of order or makes no sense, or a property forbids the message.
        """
        if self._publish is None or self._header is not None:
            raise self._unexpected()
        try:
            kind, _, size = BODY_SIZE.unpack_from(payload)
        except struct.error as err:
            raise ProtocolError(
                Code.FRAME_ERROR, f"cannot decode the {len(payload)} octets of a content header", PUBLISH
            ) from err
        if kind != spec.Basic.INDEX:
            reason = f"expected content header for class {spec.Basic.INDEX}, got one for class {kind} instead"
            raise ProtocolError(Code.UNEXPECTED_FRAME, reason, PUBLISH)
        self._check(payload, size)
        self._header = payload
        self._missing = size
        if not size:
            self._complete(b"")

    def body(self, piece: bytes) -> None:
        """Take a body frame of a message.

        Raises:
            ProtocolError: it is out of order, or longer than the header said.
        """
        if self._header is None:
            raise self._unexpected()
        self._missing -= len(piece)
        if self._missing < 0:
            raise ProtocolError(Code.FRAME_ERROR, "the body is longer than its header says", PUBLISH)
        if not self._missing:
            self._complete(b"".join((self._body, piece)) if self._body else piece)
        else:
            self._body += piece
            self.peer.count_arriving(len(piece))
            if self.host.memory.is_full:
                self.peer.holds_back = True

    def confirm_publishes(self) -> None:
        """Acknowledge each publish from now on."""
        self._confirms = True

    def send_confirms(self) -> None:
        """Acknowledge all publishes that were not yet acknowledged."""
        count = self._published - self._confirmed
        if count and not self.is_closing:
            self._confirmed = self._published
            self.peer.write(
                _ACK.pack(METHOD, self.number, _ACK_SIZE, spec.Basic.Ack.INDEX, self._published, count > 1, END)
            )

    def pump(self, queues: Iterable[Queue]) -> None:
        """Deliver what waits in some queues, as a consumer may be free now."""
        for queue in dict.fromkeys(queues):
            queue.pump(self.host.now)

    def give_back(self, queue_entries: Iterable[tuple[Queue, Entry]]) -> None:
        """Put messages that were not acknowledged back into their queues."""
        by_queue: dict[Queue, list[Entry]] = {}
        for queue, entry in queue_entries:
            by_queue.setdefault(queue, []).append(entry)
        for queue, entries in by_queue.items():
            queue.put_back(entries, self.host.now)

    def end(self) -> None:
        """Let go of all that belongs to this channel."""
        self.stop_consuming()
        self.give_all_back()

    def stop_consuming(self) -> None:
        """End all consumers, and take no more messages in."""
        self.send_confirms()
        self._drop_content()
        consumers, self.deliveries.consumers = self.deliveries.consumers, {}
        for consumer in consumers.values():
            self.host.remove_consumer(consumer.queue, consumer)

    def give_all_back(self) -> None:
        """Put all that was not acknowledged back; consumers are gone by then."""
        self.give_back((consumer.queue, entry) for consumer, entry in self.deliveries.settle_all())

    def _check(self, header: bytes, size: int) -> None:
        expiration, user = scan(header)
        self._lifetime = None if expiration is None else lifetime(expiration)
        if user is not None and user != self.peer.user:
            reason = f"user_id property set to {shown(user)} but authenticated user was {shown(self.peer.user)}"
            raise ProtocolError(Code.PRECONDITION_FAILED, reason)
        if size > MAX_MESSAGE:
            reason = f"message size {size} is larger than configured max size {MAX_MESSAGE}"
            raise ProtocolError(Code.PRECONDITION_FAILED, reason)

    def _complete(self, body: bytes) -> None:
        assert self._publish is not None and self._header is not None
        peer, host = self.peer, self.host
        # Once more: what the frames of the body took may have been the end of a queue.
        route = host.route(self._publish)
        message = Message(route.address, self._header, body, self._lifetime)
        self._drop_content()
        for queue in route.queues:
            queue.put(message, host.now)
        if not route.queues and route.is_mandatory:
            self._return(message)
        if self._confirms:
            if self._published == self._confirmed:
                peer.turn_end.append(self.send_confirms)
            self._published += 1
        if host.memory.is_full:
            peer.holds_back = True

    def _return(self, message: Message) -> None:
        arguments = _NO_ROUTE + message.address
        method = (
            HEAD.pack(METHOD, self.number, INDEX.size + len(arguments)),
            INDEX.pack(spec.Basic.Return.INDEX),
            arguments,
            bytes([END]),
        )
        self.peer.write_message(method, self.number, message)

    def _drop_content(self) -> None:
        if self._body:
            self.peer.count_arriving(-len(self._body))
            self._body = bytearray()
        self._publish = self._header = None

    def _unexpected(self) -> ProtocolError:
        if self._publish is None:
            reason, ids = "expected method frame, got non method frame instead", NO_METHOD
        elif self._header is None:
            reason = f"expected content header for class {PUBLISH[0]}, got non content header frame instead"
            ids = PUBLISH
        else:
            reason, ids = "expected content body, got non content body frame instead", PUBLISH
        return ProtocolError(Code.UNEXPECTED_FRAME, reason, ids)

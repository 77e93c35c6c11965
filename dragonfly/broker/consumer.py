"""Consumers, and what they were sent and have not yet acknowledged."""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import NamedTuple

from pika import spec

from dragonfly.broker.errors import Code, ProtocolError
from dragonfly.broker.frames import HEAD, INDEX, METHOD, method_frame
from dragonfly.broker.message import Message
from dragonfly.broker.peer import Peer
from dragonfly.broker.queue import Entry, Queue

_DELIVER = INDEX.pack(spec.Basic.Deliver.INDEX)
_TAG_AND_FLAG = struct.Struct(">QB")
_END = bytes([spec.FRAME_END])
_CANCEL_NOTIFY = "consumer_cancel_notify"


class Unsettled(NamedTuple):
    """A message that a consumer has and has not acknowledged."""

    consumer: Consumer
    entry: Entry


class Deliveries:
    """Who consumes on one channel, and the messages sent there: they are counted, and acknowledged by their numbers.

    Args:
        channel: the channel's number.
    """

    __slots__ = ("channel", "consumers", "last_tag", "unsettled")

    def __init__(self, channel: int) -> None:
        self.channel = channel
        self.consumers: dict[bytes, Consumer] = {}
        self.last_tag = 0
        # In the order of the tags; an OrderedDict gives up its first item at no cost, a dict does not.
        self.unsettled: OrderedDict[int, Unsettled] = OrderedDict()

    @property
    def forsaken(self) -> int:
        """Bytes of unacknowledged messages whose queue is gone."""
        return sum(entry.message.size for consumer, entry in self.unsettled.values() if consumer.queue.is_deleted)

    def settle(self, tag: int, multiple: bool) -> list[Unsettled]:
        """Return what a client acknowledges, or gives back, by a tag; 0 with `multiple` is all.

        Raises:
            ProtocolError: 406, there is no such delivery, or it was settled before.
        """
        if tag not in self.unsettled:
            if multiple and tag == 0:
                return self.settle_all()
            raise ProtocolError(Code.PRECONDITION_FAILED, f"unknown delivery tag {tag}")
        if not multiple:
            settled = [self.unsettled.pop(tag)]
        else:
            settled, first = [], 0
            while first != tag:
                first, unsettled = self.unsettled.popitem(last=False)
                settled.append(unsettled)
        for unsettled in settled:
            unsettled.consumer.unsettled -= 1
        return settled

    def settle_all(self) -> list[Unsettled]:
        """Return all that is not yet acknowledged."""
        settled = list(self.unsettled.values())
        self.unsettled.clear()
        for unsettled in settled:
            unsettled.consumer.unsettled -= 1
        return settled


class Consumer:
    """A subscription to a queue.

    Args:
        tag: its name on its channel.
        queue: what it takes from.
        peer: the client.
        deliveries: of its channel.
        no_ack: whether a message is done with as soon as it is sent.
        prefetch: how many messages may be unacknowledged at a time; 0 is unlimited.
    """

    __slots__ = ("_deliveries", "_peer", "_start", "no_ack", "prefetch", "queue", "tag", "unsettled")

    def __init__(
        self, tag: bytes, queue: Queue, peer: Peer, deliveries: Deliveries, *, no_ack: bool, prefetch: int
    ) -> None:
        self.tag = tag
        self.queue = queue
        self.no_ack = no_ack
        self.prefetch = 0 if no_ack else prefetch
        self.unsettled = 0
        self._peer = peer
        self._deliveries = deliveries
        self._start = _DELIVER + bytes([len(tag)]) + tag

    @property
    def is_free(self) -> bool:
        """Whether it takes a message now."""
        return not self._peer.is_congested and (not self.prefetch or self.unsettled < self.prefetch)

    def deliver(self, message: Message, entry: Entry | None) -> None:
        """Send a message; with an entry, it is to be acknowledged or to come back."""
        deliveries = self._deliveries
        deliveries.last_tag += 1
        tag = deliveries.last_tag
        redelivered = False
        if entry is not None:
            redelivered = entry.redelivered
            if not self.no_ack:
                deliveries.unsettled[tag] = Unsettled(self, entry)
                self.unsettled += 1
        start, address = self._start, message.address
        method = (
            HEAD.pack(METHOD, deliveries.channel, len(start) + _TAG_AND_FLAG.size + len(address)),
            start,
            _TAG_AND_FLAG.pack(tag, redelivered),
            address,
            _END,
        )
        self._peer.write_message(method, deliveries.channel, message)

    def cancelled(self) -> None:
        """Tell the client that its queue is gone, where it understands that."""
        self._deliveries.consumers.pop(self.tag, None)
        if _CANCEL_NOTIFY in self._peer.capabilities:
            self._peer.write(method_frame(self._deliveries.channel, spec.Basic.Cancel(self.tag, nowait=True)))

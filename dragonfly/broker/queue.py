"""A queue: the messages that wait, the consumers that take them in turn, and the order of both.

Rules:
1. A message goes to a consumer at once where one is free; it waits only where none is. So what waits has no free
   consumer, and a message that could be delivered never expires, even with an expiration of 0.
2. Consumers take turns. One is free while its prefetch is not exhausted and its client reads what it is sent.
3. A message expires when it is first in line and its time is over: one that waits behind another with more time stays.
4. What comes back unacknowledged is put where it had been, marked as redelivered.
5. Longer than `max_length`, the queue drops what is first in line.
6. The queue goes with its last consumer where it is auto-delete; whoever removes a consumer looks after that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from dragonfly.broker.memory import PLACE, Memory
from dragonfly.broker.message import Message


class Entry:
    """A message's place in one queue."""

    __slots__ = ("expires", "message", "number", "redelivered")

    def __init__(self, message: Message, number: int, expires: float | None) -> None:
        self.message = message
        self.number = number
        self.expires = expires
        self.redelivered = False


class Consumer(Protocol):
    """What a queue knows of those who take its messages."""

    no_ack: bool

    @property
    def is_free(self) -> bool:
        """Whether it takes a message now."""
        ...

    def deliver(self, message: Message, entry: Entry | None) -> None:
        """Send a message; with an entry, it is to be acknowledged or to come back."""
        ...

    def cancelled(self) -> None:
        """Tell the client that its queue is gone."""
        ...


class Queue:
    """One queue.

    Args:
        name: its name.
        memory: where its bytes are counted.
        owner: the connection that alone may use it; None where it is not exclusive.
        auto_delete: whether it goes with its last consumer.
        max_length: how many messages may wait; None is unlimited.
        arguments: those it was declared with, for comparison.
    """

    def __init__(
        self,
        name: bytes,
        memory: Memory,
        *,
        owner: object = None,
        auto_delete: bool = False,
        max_length: int | None = None,
        arguments: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.owner = owner
        # Who declared it: in want of memory this one has to answer for it.
        self.declarer: object = owner
        self.auto_delete = auto_delete
        self.arguments = arguments or {}
        self.exclusive_consumer = False
        self.is_deleted = False
        # Bytes of all messages, those that are delivered and not yet acknowledged included.
        self.size = 0
        # Pairs of exchange and binding key, for the day when the queue goes.
        self.bindings: dict[tuple[bytes, bytes], None] = {}
        self.consumers: deque[Consumer] = deque()
        self._max_length = max_length
        self._memory = memory
        self._waiting: deque[Entry] = deque()
        self._last_number = 0

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def put(self, message: Message, now: float) -> None:
        """Take in a message."""
        consumer = None if self._waiting else self._free_consumer()
        if consumer is None:
            self._waiting.append(self._entry(message, now))
            self.drop_expired(now)
            self._drop_surplus()
        elif consumer.no_ack:
            consumer.deliver(message, None)
        else:
            consumer.deliver(message, self._entry(message, now))

    def pump(self, now: float) -> None:
        """Deliver what waits while consumers are free; to be called whenever one becomes free."""
        while self._waiting:
            self.drop_expired(now)
            consumer = self._free_consumer()
            if consumer is None or not self._waiting:
                return
            entry = self._waiting.popleft()
            consumer.deliver(entry.message, entry)
            if consumer.no_ack:
                self.forget(entry)

    def add_consumer(self, consumer: Consumer, exclusive: bool = False) -> None:
        """Let somebody consume; `pump` sends it what waits."""
        self.consumers.append(consumer)
        self.exclusive_consumer = exclusive

    def remove_consumer(self, consumer: Consumer) -> None:
        """Let somebody consume no longer; what it has and has not acknowledged stays with it."""
        if consumer in self.consumers:
            self.consumers.remove(consumer)
        self.exclusive_consumer = False

    def forget(self, entry: Entry) -> None:
        """Let go of a message: it was acknowledged, expired, or dropped."""
        self.size -= entry.message.size + PLACE
        self._memory.release(entry.message)

    def put_back(self, entries: Iterable[Entry], now: float) -> None:
        """Take messages back that were delivered, each to its former place, and deliver what can be."""
        returned = list(entries)
        if self.is_deleted:
            for entry in returned:
                self.forget(entry)
            return
        for entry in returned:
            entry.redelivered = True
        newest = max((entry.number for entry in returned), default=0)
        # They are older than nearly all that waits, so only the first in line have to be looked at.
        while self._waiting and self._waiting[0].number < newest:
            returned.append(self._waiting.popleft())
        returned.sort(key=_number)
        self._waiting.extendleft(reversed(returned))
        self.drop_expired(now)
        self.pump(now)
        self._drop_surplus()

    def drop_expired(self, now: float) -> None:
        """Drop what is first in line and whose time is over."""
        waiting = self._waiting
        while waiting:
            expires = waiting[0].expires
            if expires is None or expires > now:
                return
            self.forget(waiting.popleft())

    def purge(self) -> int:
        """Drop all that waits; return how many messages that were."""
        count = len(self._waiting)
        for entry in self._waiting:
            self.forget(entry)
        self._waiting.clear()
        return count

    def delete(self) -> None:
        """Drop all that waits and tell the consumers; what they have not acknowledged goes when they do."""
        self.is_deleted = True
        self.purge()
        consumers, self.consumers = self.consumers, deque()
        for consumer in consumers:
            consumer.cancelled()

    def _entry(self, message: Message, now: float) -> Entry:
        self._last_number += 1
        self.size += message.size + PLACE
        self._memory.hold(message)
        expires = None if message.lifetime is None else now + message.lifetime
        return Entry(message, self._last_number, expires)

    def _free_consumer(self) -> Consumer | None:
        for _ in range(len(self.consumers)):
            consumer = self.consumers[0]
            self.consumers.rotate(-1)
            if consumer.is_free:
                return consumer
        return None

    def _drop_surplus(self) -> None:
        if self._max_length is not None:
            while len(self._waiting) > self._max_length:
                self.forget(self._waiting.popleft())


def _number(entry: Entry) -> int:
    return entry.number

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dragonfly.broker.memory import PLACE, Memory
from dragonfly.broker.message import Message
from dragonfly.broker.queue import Entry, Queue


class Taker:
    """A consumer that keeps what it gets."""

    def __init__(self, capacity: int = 1000, no_ack: bool = False) -> None:
        self.no_ack = no_ack
        self.capacity = capacity
        self.got: list[tuple[bytes, bool]] = []
        self.entries: list[Entry] = []
        self.was_cancelled = False

    @property
    def is_free(self) -> bool:
        return self.capacity > 0

    def deliver(self, message: Message, entry: Entry | None) -> None:
        self.capacity -= 1
        self.got.append((message.body, entry is not None and entry.redelivered))
        if entry is not None:
            self.entries.append(entry)

    def cancelled(self) -> None:
        self.was_cancelled = True

    @property
    def bodies(self) -> str:
        return "".join(body.decode() for body, _ in self.got)


def message(body: str, lifetime: float | None = None) -> Message:
    return Message(b"", b"", body.encode(), lifetime)


def filled(bodies: Iterable[str], queue: Queue | None = None) -> Queue:
    queue = queue or Queue(b"q", Memory())
    for body in bodies:
        queue.put(message(body), 0.0)
    return queue


def drained(queue: Queue, now: float = 0.0) -> str:
    taker = Taker(no_ack=True)
    queue.add_consumer(taker)
    queue.pump(now)
    return taker.bodies


def test_messages_come_out_in_the_order_in_which_they_came() -> None:
    assert drained(filled("abc")) == "abc"


def test_a_free_consumer_gets_a_message_at_once() -> None:
    queue, taker = Queue(b"q", Memory()), Taker()
    queue.add_consumer(taker)
    queue.put(message("a"), 0.0)
    assert taker.bodies == "a" and queue.waiting == 0


def test_consumers_take_turns_and_one_that_is_not_free_is_passed_over() -> None:
    queue, takers = Queue(b"q", Memory()), [Taker(), Taker(capacity=1), Taker()]
    for taker in takers:
        queue.add_consumer(taker)
    filled("abcdefg", queue)
    assert [taker.bodies for taker in takers] == ["adf", "b", "ceg"]


def test_what_no_consumer_can_take_waits_until_one_is_free() -> None:
    queue, taker = Queue(b"q", Memory()), Taker(capacity=2)
    queue.add_consumer(taker)
    filled("abcde", queue)
    assert taker.bodies == "ab" and queue.waiting == 3
    taker.capacity = 2
    queue.pump(0.0)
    assert taker.bodies == "abcd" and queue.waiting == 1


# Lifetimes (s) of messages a, b, c, the time, how many wait then, and which are delivered then.
EXPIRY = [
    ([1.0], 0.999, 1, "a"),
    ([1.0], 1.0, 0, ""),
    ([1.0, 2.0, 3.0], 2.5, 1, "c"),
    ([None, 1.0], 100.0, 2, "a"),
    ([3.0, 1.0], 2.0, 2, "a"),
    ([3.0, 1.0, None], 3.0, 1, "c"),
    ([0.0], 0.0, 0, ""),
    ([1.0, 0.0], 0.5, 2, "a"),
    ([1.0, 0.0], 1.0, 0, ""),
    ([None, None], 1e9, 2, "ab"),
]


@pytest.mark.parametrize(("lifetimes", "now", "waiting", "delivered"), EXPIRY)
def test_a_message_expires_when_it_is_first_in_line(
    lifetimes: list[float | None], now: float, waiting: int, delivered: str
) -> None:
    memory = Memory()
    queue = Queue(b"q", memory)
    for body, lifetime in zip("abc", lifetimes, strict=False):
        queue.put(message(body, lifetime), 0.0)
    queue.drop_expired(now)
    assert queue.waiting == waiting
    assert drained(queue, now) == delivered
    assert memory.used == 0


def test_a_message_that_can_be_delivered_does_not_expire() -> None:
    queue, taker = Queue(b"q", Memory()), Taker()
    queue.add_consumer(taker)
    queue.put(message("a", 0.0), 5.0)
    assert taker.bodies == "a"


def test_an_expired_message_in_the_middle_is_passed_over_when_its_turn_comes() -> None:
    queue, taker = Queue(b"q", Memory()), Taker(capacity=1)
    for body, lifetime in (("a", None), ("b", 1.0), ("c", None)):
        queue.put(message(body, lifetime), 0.0)
    queue.add_consumer(taker)
    queue.pump(2.0)
    taker.capacity = 9
    queue.pump(2.0)
    assert taker.bodies == "ac"


@pytest.mark.parametrize(
    ("length", "kept"), [(0, ""), (1, "e"), (3, "cde"), (5, "abcde"), (9, "abcde"), (None, "abcde")]
)
def test_a_queue_that_is_too_long_drops_its_oldest(length: int | None, kept: str) -> None:
    memory = Memory()
    queue = filled("abcde", Queue(b"q", memory, max_length=length))
    assert queue.waiting == len(kept)
    assert drained(queue) == kept
    assert memory.used == 0


def test_the_limit_does_not_count_what_is_delivered() -> None:
    queue, taker = Queue(b"q", Memory(), max_length=1), Taker(capacity=3)
    queue.add_consumer(taker)
    filled("abcde", queue)
    assert taker.bodies == "abc" and drained(queue) == "e"


# Which of the delivered a, b, c, d come back, in which groups, and what the queue (with e, f waiting) then holds.
REQUEUE = [
    (["a"], "aef"),
    (["d"], "def"),
    (["b", "a"], "abef"),
    (["a", "b"], "abef"),
    (["dcba"], "abcdef"),
    (["c", "ad", "b"], "abcdef"),
    ([""], "ef"),
]


@pytest.mark.parametrize(("groups", "expected"), REQUEUE)
def test_what_comes_back_is_put_where_it_was(groups: list[str], expected: str) -> None:
    queue, taker = Queue(b"q", Memory()), Taker(capacity=4)
    queue.add_consumer(taker)
    filled("abcdef", queue)
    queue.remove_consumer(taker)
    entries = {entry.message.body.decode(): entry for entry in taker.entries}
    for group in groups:
        queue.put_back([entries[body] for body in group], 0.0)
    assert drained(queue) == expected


def test_only_what_came_back_is_marked_as_redelivered() -> None:
    queue, first, second = Queue(b"q", Memory()), Taker(capacity=1), Taker()
    queue.add_consumer(first)
    filled("ab", queue)
    queue.remove_consumer(first)
    queue.add_consumer(second)
    queue.put_back(first.entries, 0.0)
    assert second.got == [(b"a", True), (b"b", False)]


def test_what_comes_back_too_late_has_expired() -> None:
    queue, taker = Queue(b"q", Memory()), Taker(capacity=1)
    queue.add_consumer(taker)
    queue.put(message("a", 1.0), 0.0)
    queue.put_back(taker.entries, 2.0)
    assert queue.waiting == 0 and queue.size == 0


def test_the_memory_counts_what_is_delivered_until_it_is_acknowledged() -> None:
    memory = Memory()
    queue, taker = Queue(b"q", memory), Taker(capacity=1)
    queue.add_consumer(taker)
    filled("ab", queue)
    both = memory.used
    queue.forget(taker.entries[0])
    assert both == 2 * memory.used > 0


def test_a_deleted_queue_holds_nothing_and_takes_nothing_back() -> None:
    memory = Memory()
    queue, taker = Queue(b"q", memory), Taker(capacity=1)
    queue.add_consumer(taker)
    filled("abc", queue)
    queue.delete()
    assert taker.was_cancelled and queue.size == memory.used == taker.entries[0].message.size + PLACE
    queue.put_back(taker.entries, 0.0)
    assert queue.size == memory.used == queue.waiting == 0


def test_purging_drops_what_waits_and_not_what_is_delivered() -> None:
    memory = Memory()
    queue, taker = Queue(b"q", memory), Taker(capacity=1)
    queue.add_consumer(taker)
    filled("abc", queue)
    assert queue.purge() == 2
    assert memory.used == taker.entries[0].message.size + PLACE

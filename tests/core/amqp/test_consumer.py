"""A queue's consumption, on a connection that a test plays; real ones are tested on brokers, in tests/mesh."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pika.spec import Basic, BasicProperties

from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.packet import Delivery


class Channel:
    """A channel that consumes and answers at once."""

    is_open = True

    def __init__(self) -> None:
        self.did: list[str] = []

    def add_on_close_callback(self, action: Callable[[Any, Any], None]) -> None:
        self.close_callback = action

    def add_on_cancel_callback(self, action: Callable[[Any], None]) -> None:
        self.cancel_callback = action

    def basic_qos(self, prefetch_count: int) -> None:
        self.did.append(f"prefetch {prefetch_count}")

    def basic_consume(self, queue: str, action: Any, auto_ack: bool, callback: Callable[[Any], None]) -> str:
        self.did.append(f"consume {queue}")
        self.deliver = action
        callback(None)
        return "the tag"

    def basic_cancel(self, tag: str, callback: Callable[[Any], None]) -> None:
        self.did.append(f"cancel {tag}")
        self.cancel_ok = callback

    def basic_ack(self, tag: int, multiple: bool) -> None:
        self.did.append(f"acknowledge {tag}" + (" and before" if multiple else ""))

    def close(self, reply_text: str = "") -> None:
        self.is_open = False
        self.did.append("close")


class Bench:
    """A connection and a declarer in one, and the consumer on them."""

    is_up = True

    def __init__(self, prefetch: int = 0) -> None:
        self.channel = Channel()
        self.taken_at_once: dict[Channel, Callable[[Delivery], None] | None] = {}
        self.came: list[bytes] = []
        self.lost: list[str] = []
        both: Any = self
        self.consumer = Consumer(
            both, both, "store", [("requests", "store.#")], lambda each: self.came.append(each.body), prefetch=prefetch
        )
        self.consumer.on_lost = self.lost.append
        self.ready = 0
        self.consumer.open(self._is_ready, lambda code, text: None)

    def _is_ready(self) -> None:
        self.ready += 1

    def declare(self, action: Callable[[Any], None], _refused: Any) -> Callable[[], None]:
        def bind(*_words: Any, callback: Callable[[Any], None]) -> None:
            callback(None)

        channel = SimpleNamespace(queue_declare=lambda *words, **keys: None, queue_bind=bind)
        # The answer comes later than what asks for it.
        self.answer = lambda: action(channel)
        return lambda: None

    def open_channel(self, then: Callable[[Any], None]) -> None:
        then(self.channel)

    def on_delivery(self, channel: Any, action: Callable[[Delivery], None] | None) -> None:
        self.taken_at_once[channel] = action

    def delivery(self, tag: int = 1) -> Delivery:
        method = Basic.Deliver("the tag", tag, False, "requests", "store")
        return Delivery(method, BasicProperties(), b"{}", self.channel)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.answer()
    return bench


def test_what_is_delivered_is_taken_at_once_and_by_the_way_of_pika(bench: Bench) -> None:
    assert bench.ready == 1
    at_once = bench.taken_at_once[bench.channel]
    assert at_once is not None
    at_once(bench.delivery())
    method = Basic.Deliver("the tag", 2, False, "requests", "store")
    bench.channel.deliver(bench.channel, method, BasicProperties(), b"2")
    assert bench.came == [b"{}", b"2"]


def test_after_a_cancel_nothing_is_taken_at_once_any_more(bench: Bench) -> None:
    """pika alone drops, or gives back, what the broker sent before it heard of the cancel."""
    ended: list[bool] = []
    bench.consumer.cancel(lambda: ended.append(True))
    assert bench.taken_at_once[bench.channel] is None
    assert ended == []
    bench.channel.cancel_ok(None)
    assert ended == [True]
    assert bench.lost == []


def test_with_a_prefetch_what_was_taken_is_acknowledged_where_it_came_from() -> None:
    bench = Bench(prefetch=10)
    bench.answer()
    first = bench.delivery(7)
    bench.consumer.acknowledge(first)
    assert bench.channel.did == ["prefetch 10", "consume store", "acknowledge 7 and before"]
    bench.channel.is_open = False
    bench.channel.close_callback(bench.channel, SimpleNamespace(reply_text="a reason"))
    assert bench.lost == ["a reason"]
    bench.consumer.acknowledge(first)
    assert len(bench.channel.did) == 3


def test_a_consumption_that_the_broker_ends_is_lost_with_its_channel(bench: Bench) -> None:
    bench.channel.cancel_callback(None)
    assert bench.lost == ["the broker ended the consumption"]
    assert bench.channel.did[-1] == "close"

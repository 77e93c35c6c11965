from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from dragonfly.broker.errors import ProtocolError
from dragonfly.broker.memory import Memory
from dragonfly.broker.message import Message
from dragonfly.broker.virtual_host import VirtualHost

# Arguments of basic.publish: a short integer, exchange, routing key, bits.
TO_E = b"\x00\x00\x01e\x03a.b\x00"
TO_Q = b"\x00\x00\x00\x01q\x01"


@pytest.fixture
def host() -> VirtualHost:
    made = VirtualHost(Memory())
    made.add_exchange(b"e", auto_delete=False)
    made.add_queue(b"q", "someone", False, False, {})
    return made


def bind(host: VirtualHost, key: bytes = b"a.#") -> None:
    exchange = host.exchange(b"e")
    assert exchange is not None
    host.bind(host.queues[b"q"], exchange, key)


def test_a_route_has_what_the_publish_says(host: VirtualHost) -> None:
    bind(host)
    assert host.route(TO_E) == (b"\x01e\x03a.b", (host.queues[b"q"],), False)
    assert host.route(TO_Q) == (b"\x00\x01q", (host.queues[b"q"],), True)


CHANGES: dict[str, Callable[[VirtualHost], None]] = {
    "unbind": lambda host: host.unbind(host.queues[b"q"], b"e", b"a.#"),
    "delete the queue": lambda host: host.delete_queue(host.queues[b"q"]),
    "another exchange of the name": lambda host: (host.delete_exchange(b"e"), host.add_exchange(b"e", False))[-1],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_remembered_route_is_forgotten_when_something_changes(
    host: VirtualHost, change: Callable[[VirtualHost], None]
) -> None:
    assert host.route(TO_E).queues == ()
    bind(host)
    assert len(host.route(TO_E).queues) == 1
    change(host)
    assert host.route(TO_E).queues == ()


def test_a_remembered_route_to_a_queue_is_forgotten_too(host: VirtualHost) -> None:
    first = host.route(TO_Q).queues
    host.delete_queue(host.queues[b"q"])
    assert host.route(TO_Q).queues == ()
    host.add_queue(b"q", "someone", False, False, {})
    assert len(host.route(TO_Q).queues) == 1 and host.route(TO_Q).queues != first


def test_an_exchange_that_is_gone_is_not_found_although_its_route_was_remembered(host: VirtualHost) -> None:
    host.route(TO_E)
    host.delete_exchange(b"e")
    with pytest.raises(ProtocolError, match="no exchange 'e' in vhost '/'"):
        host.route(TO_E)


def test_many_routes_are_not_remembered_for_ever(host: VirtualHost) -> None:
    for number in range(25_000):
        host.route(b"\x00\x00\x01e\x05%05d\x00" % number)
    assert len(host._routes) <= 10_000


def test_routes_to_many_queues_are_not_remembered_beyond_some_bytes(host: VirtualHost) -> None:
    exchange = host.exchange(b"e")
    assert exchange is not None
    for number in range(1000):
        host.bind(host.add_queue(b"%d" % number, "someone", False, False, {}), exchange, b"#")
    tracemalloc.start()
    try:
        for number in range(5_000):
            assert len(host.route(b"\x00\x00\x01e\x05%05d\x00" % number).queues) == 1000
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 6_000_000


NOT_OFFERED = [b"amq.direct", b"amq.fanout", b"amq.headers", b"amq.match", b"amq.rabbitmq.trace"]


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_an_exchange_that_only_rabbitmq_has_is_refused_by_name(host: VirtualHost, name: bytes) -> None:
    with pytest.raises(ProtocolError, match=f"the embedded broker has no exchange {name.decode()}") as caught:
        host.exchange(name)
    assert caught.value.code == 540
    with pytest.raises(ProtocolError) as caught:
        host.route(b"\x00\x00" + bytes([len(name)]) + name + b"\x00\x00")
    assert caught.value.code == 540


@pytest.mark.parametrize(
    "arguments", [b"", b"\x00\x00", b"\x00\x00\x05ab", b"\x00\x00\x01e\x09a", TO_E[:-1], TO_E + b"x"]
)
def test_other_arguments_are_a_frame_error(host: VirtualHost, arguments: bytes) -> None:
    with pytest.raises(ProtocolError, match="cannot decode") as caught:
        host.route(arguments)
    assert caught.value.code == 501


def test_who_declared_the_queues_that_hold_most_loses_them_all() -> None:
    host = VirtualHost(Memory())
    for name, declarer, size in ((b"a", "one", 60), (b"b", "two", 40), (b"c", "two", 50), (b"d", None, 70)):
        queue = host.add_queue(name, declarer, False, False, {})
        for _ in range(100):
            queue.put(Message(b"", b"", bytes(size), None), 0.0)
    assert host.shed({"one": 100}) == "two"
    assert set(host.queues) == {b"a", b"d"}
    assert host.shed({"three": 1_000_000}) == "three"
    assert host.shed({}) is None
    assert set(host.queues) == {b"a"}

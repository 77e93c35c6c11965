"""Random frames, truncated frames, any order of methods, huge tables: no crash, no leak, and nobody else is harmed."""

from __future__ import annotations

import random
import struct

import pytest

from dragonfly.broker import Broker
from dragonfly.broker.memory import Memory
from dragonfly.broker.virtual_host import VirtualHost
from tests.broker.hostile import Hostile
from tests.broker.spoken import Conversation
from tests.broker.wire_client import WireClient, connect

SESSIONS, CONNECTIONS = 1000, 200


def leave(host: VirtualHost, *conversations: Conversation) -> None:
    """Let clients vanish, and drop what queues they shared."""
    for conversation in conversations:
        conversation.session.lost(conversation.now)
        conversation.peer.gone()
    assert not [queue for queue in host.queues.values() if queue.owner is not None or queue.consumers]
    for queue in list(host.queues.values()):
        host.delete_queue(queue)


@pytest.mark.parametrize("start", range(0, SESSIONS, 250))
def test_no_stream_of_bytes_breaks_a_session_or_leaves_something(start: int) -> None:
    for seed in range(start, start + 250):
        host = VirtualHost(Memory())
        chance = random.Random(seed)
        one, other = Conversation(host), Conversation(host)
        streams = {one: Hostile(seed).connection(), other: Hostile(-1 - seed).connection()}
        while any(streams.values()):
            talker = chance.choice([one, other])
            count = chance.choice([1, 10, 1000, 100_000])
            talker.say(streams[talker][:count])
            streams[talker] = streams[talker][count:]
            talker.tick(talker.now + chance.choice([0.0, 0.001, 1.0]))
        leave(host, one, other)
        assert host.memory.used == 0, seed
        assert one.peer.arriving == other.peer.arriving == 0


def test_hostile_clients_harm_nobody_else() -> None:
    with Broker() as broker, WireClient(broker.address) as innocent:
        innocent.say_hello()
        for seed in range(CONNECTIONS):
            with connect(broker.address) as attacker:
                attacker.sendall(Hostile(seed).connection())
                if seed % 10 == 0:
                    innocent.say_hello()
        innocent.say_hello()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"AMQP\x00\x00\x09\x01\x01\x00\x00\xff\xff\xff\xff",
        random.Random(1).randbytes(100_000),
    ],
    ids=["nothing", "a byte", "HTTP", "TLS", "a huge frame", "noise"],
)
def test_garbage_costs_nothing(said: bytes) -> None:
    with Broker() as broker, WireClient(broker.address) as innocent:
        for _ in range(20):
            with connect(broker.address) as stranger:
                stranger.sendall(said)
        innocent.say_hello()


def test_a_huge_table_is_passed_on_or_refused_at_once() -> None:
    fields = b"".join(struct.pack(">B3sBI", 3, b"%03d" % (number % 1000), ord("I"), number) for number in range(14_000))
    with Broker() as broker, WireClient(broker.address) as innocent, WireClient(broker.address) as other:
        header = b"\x00\x3c\x00\x00" + bytes(8) + b"\x20\x00" + struct.pack(">I", len(fields)) + fields
        publish = b"\x00\x3c\x00\x28\x00\x00\x00\x04nope\x01"
        for kind, payload in ((1, publish), (2, header)):
            other.send(bytes([kind]) + struct.pack(">HI", 1, len(payload)) + payload + b"\xce")
        method, properties, _ = other.message()
        assert method.reply_text == "NO_ROUTE" and len(properties.headers) == 1000
        innocent.say_hello()

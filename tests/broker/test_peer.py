from __future__ import annotations

import tracemalloc

from dragonfly.broker.memory import PLACE, Memory
from dragonfly.broker.message import Message
from dragonfly.broker.peer import ANSWERS_MARK, BATCH, HIGH_MARK, LOW_MARK, Peer
from tests.broker.spoken import BODY, HEADER, frame

SMALL, LARGE = b"x" * 1000, b"y" * 1_000_000
METHOD_FRAME = (b"method ", b"frame")


def peer(memory: Memory | None = None, frame_max: int = 131_072) -> Peer:
    made = Peer("client", memory or Memory(), lambda: None)
    made.frame_max = frame_max
    return made


def message(body: bytes) -> Message:
    return Message(b"", b"header", body, None)


def on_the_wire(body: bytes, frame_max: int) -> bytes:
    step = frame_max - 8
    pieces = [frame(BODY, 1, body[start : start + step]) for start in range(0, len(body), step)]
    return b"method frame" + frame(HEADER, 1, b"header") + b"".join(pieces)


def heard(of: Peer) -> bytes:
    data = b""
    while batch := of.take():
        data += batch
        of.sent(len(batch))
    return data


def test_messages_of_all_sizes_come_out_whole_and_in_order() -> None:
    for frame_max in (4096, 131_072):
        memory = Memory()
        client = peer(memory, frame_max)
        bodies = [SMALL, LARGE, b"", LARGE[:16_384], SMALL, LARGE[:16_383]]
        for body in bodies:
            client.write_message(METHOD_FRAME, 1, message(body))
        expected = b"".join(on_the_wire(body, frame_max) for body in bodies)
        assert client.unsent == len(expected)
        assert heard(client) == expected
        assert client.unsent == memory.used == 0


def test_a_batch_is_whole_frames_and_not_much_longer_than_it_should_be() -> None:
    client = peer()
    client.write_message(METHOD_FRAME, 1, message(LARGE))
    sizes = []
    while batch := client.take():
        client.sent(len(batch))
        sizes.append(len(batch))
        assert batch.endswith(b"\xce")
    assert max(sizes) < BATCH + 131_072 and len(sizes) > 2


def test_what_many_clients_are_sent_counts_once_and_is_one_body() -> None:
    memory = Memory()
    clients = [peer(memory) for _ in range(100)]
    one = message(LARGE)
    tracemalloc.start()
    try:
        for client in clients:
            client.write_message(METHOD_FRAME, 1, one)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 100_000
    assert len(LARGE) < memory.used < len(LARGE) + 100 * (PLACE + 100)
    assert all(client.unsent > len(LARGE) for client in clients)
    for client in clients[1:]:
        client.gone()
    assert memory.used > len(LARGE)
    clients[0].gone()
    assert memory.used == 0


def test_what_is_given_to_the_socket_counts_until_it_has_taken_it() -> None:
    memory = Memory()
    client = peer(memory)
    client.write_message(METHOD_FRAME, 1, message(LARGE))
    batch = client.take()
    assert memory.used > len(LARGE) + len(batch)
    client.sent(10)
    client.drop_output()
    assert memory.used == client.unsent == len(batch) - 10
    client.sent(len(batch) - 10)
    assert memory.used == client.unsent == 0


def test_it_is_congested_between_the_marks_and_asks_too_much_only_beyond_them() -> None:
    client = peer()
    client.write(bytes(HIGH_MARK))
    assert not client.is_congested
    client.write(b"x")
    assert client.is_congested and not client.asks_too_much
    client.write(bytes(ANSWERS_MARK))
    assert not client.asks_too_much
    client.write(b"x")
    assert client.asks_too_much
    assert not client.sent(client.unsent - LOW_MARK - 1)
    assert client.is_congested and client.asks_too_much
    assert client.sent(1)
    assert not client.is_congested and not client.asks_too_much


def test_one_message_however_large_is_no_answer_too_much() -> None:
    client = peer()
    client.write_message(METHOD_FRAME, 1, message(LARGE * 30))
    assert client.is_congested and not client.asks_too_much


def test_who_sends_a_large_frame_into_a_full_memory_is_held_back_and_who_may_acknowledge_is_not() -> None:
    memory = Memory(limit=0)
    client = peer(memory)
    client.note_unfinished(4096)
    assert memory.used == client.arriving == 4096 and not client.holds_back
    client.note_unfinished(4097)
    assert client.holds_back
    client.gone()
    client.note_unfinished(0)
    assert memory.used == client.arriving == 0


def test_it_says_once_that_there_is_something_to_send() -> None:
    calls = []
    client = Peer("client", Memory(), lambda: calls.append(1))
    client.write(b"a")
    client.write_message(METHOD_FRAME, 1, message(LARGE))
    assert len(calls) == 1
    heard(client)
    assert not client.output
    client.write(b"b")
    assert len(calls) == 2

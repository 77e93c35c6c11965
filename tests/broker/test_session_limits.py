"""What a session does with clients that do not read, say nothing, or fill the memory; bytes as in test_session."""

from __future__ import annotations

import tracemalloc

from dragonfly.broker.errors import Code, ProtocolError
from dragonfly.broker.memory import Memory
from dragonfly.broker.virtual_host import VirtualHost
from tests.broker.spoken import (
    BODY,
    CLOSE,
    CONSUME,
    CONSUME_NO_ACK,
    HEARTBEAT,
    METHOD,
    PROTOCOL_HEADER,
    QUEUE_DECLARE,
    QUEUE_DECLARE_OK,
    QUEUE_DECLARE_SHARED,
    START_OK_CAPABLE,
    TUNE_OK,
    TUNE_OK_10_S,
    Conversation,
    closed,
    frame,
    message,
    opened,
)


def congested(tune_ok: bytes = TUNE_OK) -> Conversation:
    """Return a client of queue q that does not read; 30 messages of 100 KB were sent there."""
    reader = opened(tune_ok=tune_ok)
    writer = opened(reader.host)
    reader.say(QUEUE_DECLARE_SHARED, CONSUME_NO_ACK)
    for _ in range(30):
        writer.say(message(b"q", b"x" * 100_000))
    writer.say(CLOSE)
    return reader


def test_a_client_that_does_not_read_is_sent_no_more() -> None:
    reader = congested()
    sent = 30 - reader.host.queues[b"q"].waiting
    assert 10 <= sent <= 12 and 1_000_000 < reader.peer.unsent < 1_300_000
    assert reader.heard().count(b"\x00\x3c\x00\x3c\x01t") == 30
    assert reader.peer.unsent == reader.host.memory.used == 0


def test_a_client_that_does_not_read_is_still_heard_and_answered() -> None:
    reader = congested(tune_ok=TUNE_OK_10_S)
    for now in range(0, 100, 10):
        reader.now = float(now)
        assert reader.session.is_readable
        reader.session.receive(HEARTBEAT, reader.now)
        reader.session.tick(reader.now)
    before = reader.peer.unsent
    reader.session.receive(QUEUE_DECLARE_SHARED, reader.now)
    assert reader.peer.unsent == before + len(QUEUE_DECLARE_OK)
    assert not reader.session.is_over


def test_a_client_that_neither_reads_nor_says_anything_is_gone_after_two_heartbeats() -> None:
    reader = congested(tune_ok=TUNE_OK_10_S)
    reader.session.sent(10, 15.0)
    reader.session.tick(20.0)
    assert not reader.session.is_over
    reader.session.tick(20.1)
    assert reader.session.is_over


def test_to_a_client_that_does_not_read_no_heartbeats_pile_up() -> None:
    reader = congested(tune_ok=TUNE_OK_10_S)
    before = reader.peer.unsent
    for now in range(20):
        reader.session.tick(float(now))
    assert reader.peer.unsent == before


def test_who_leaves_too_many_answers_unread_is_read_no_more_and_lives_while_it_takes_some() -> None:
    reader = congested(tune_ok=TUNE_OK_10_S)
    while reader.session.is_readable:
        reader.session.receive(message(b"nope", b"x" * 10_000, bits=1), 0.0)
    assert 2_000_000 < reader.peer.unsent < 2_300_000
    reader.session.sent(10, 15.0)
    reader.session.tick(34.9)
    assert not reader.session.is_over
    reader.session.tick(35.1)
    assert reader.session.is_over


def test_before_the_login_only_the_least_frame_is_taken() -> None:
    conversation = Conversation()
    conversation.say(PROTOCOL_HEADER)
    conversation.say(b"\x01\x00\x00\x00\x00\x0f\xf8")
    assert not conversation.session.is_over
    conversation = Conversation()
    conversation.say(PROTOCOL_HEADER)
    conversation.say(b"\x01\x00\x00\x00\x00\x0f\xf9\x00")
    assert conversation.session.is_over


def test_half_a_frame_counts_in_the_memory_until_it_is_whole() -> None:
    conversation = opened()
    half, rest = message(b"q", b"x" * 1000)[:-500], message(b"q", b"x" * 1000)[-500:]
    conversation.say(half)
    assert conversation.host.memory.used == conversation.peer.arriving == len(frame(BODY, 1, b"x" * 1000)) - 500
    conversation.say(rest)
    assert conversation.host.memory.used == conversation.peer.arriving == 0
    conversation.say(half)
    conversation.session.lost(0.0)
    conversation.peer.gone()
    assert conversation.host.memory.used == conversation.peer.arriving == 0


def test_who_fills_the_memory_and_then_errs_is_told_of_the_error_last() -> None:
    conversation = opened(VirtualHost(Memory(limit=100_000)), start_ok=START_OK_CAPABLE)
    conversation.say(QUEUE_DECLARE)
    select = frame(METHOD, 1, b"\x00\x5a\x00\x0a")  # 1.9.2.1: tx.select
    answer = conversation.say(message(b"q", b"x" * 101_000), select)
    assert answer[7:13] == b"\x00\x0a\x00\x32\x02\x1c" and answer.count(b"\xce") == 1
    assert conversation.session.is_readable


def test_who_is_closed_for_want_of_memory_gets_the_reason_and_nothing_else_that_waits() -> None:
    reader = congested()
    reader.session.give_up(ProtocolError(Code.RESOURCE_ERROR, "too much", (0, 0)), 0.0)
    assert reader.session.held == 0
    assert reader.heard() == closed(0, 506, "RESOURCE_ERROR - too much", 0, 0)


def test_a_message_whose_queue_is_gone_is_held_by_who_has_not_acknowledged_it() -> None:
    host = VirtualHost(Memory())
    conversation, consumer = opened(host), opened(host)
    conversation.say(QUEUE_DECLARE_SHARED)
    consumer.say(CONSUME)
    conversation.say(message(b"q", b"x" * 1000))
    consumer.heard()
    assert consumer.session.held == 0
    host.delete_queue(host.queues[b"q"])
    assert 1000 < consumer.session.held <= host.memory.used < 2000
    consumer.say(frame(METHOD, 1, b"\x00\x3c\x00\x50\x00\x00\x00\x00\x00\x00\x00\x01\x00"))  # 1.8.3.13: ack 1
    assert consumer.session.held == host.memory.used == 0


def test_who_fills_the_memory_is_told_and_not_read_until_there_is_room() -> None:
    host = VirtualHost(Memory(limit=100_000))
    conversation = opened(host, start_ok=START_OK_CAPABLE)
    conversation.say(QUEUE_DECLARE)
    blocked = frame(METHOD, 0, b"\x00\x0a\x00\x3c\x0dlow on memory")  # RabbitMQ's connection.blocked
    assert conversation.say(message(b"q", b"x" * 99_000)) == b""
    assert conversation.say(message(b"q", b"x" * 99_000)) == blocked
    assert not conversation.session.is_readable
    conversation.session.unblock(1.0)
    assert conversation.heard() == frame(METHOD, 0, b"\x00\x0a\x00\x3d")
    assert conversation.session.is_readable


def test_half_a_message_counts_in_the_memory_until_its_channel_ends() -> None:
    conversation = opened()
    conversation.say(message(b"q", b"x" * 1000, b"y")[:-9])
    assert conversation.host.memory.used == conversation.peer.arriving == 1000
    conversation.say(CLOSE)
    assert conversation.host.memory.used == conversation.peer.arriving == 0


def test_frames_without_a_body_keep_nothing() -> None:
    conversation = opened()
    unfinished = message(b"q", b"x", b"y")[: -len(frame(BODY, 1, b"y"))]
    conversation.say(unfinished)
    tracemalloc.start()
    try:
        for _ in range(100):
            conversation.say(frame(BODY, 1, b"") * 1000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert conversation.host.memory.used == 1
    assert grown < 100_000

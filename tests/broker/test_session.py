"""Byte for byte; the numbers are sections of the AMQP 0-9-1 specification."""

from __future__ import annotations

import struct

import pytest

from tests.broker.spoken import (
    BODY,
    CHANNEL_CLOSE,
    CHANNEL_CLOSE_OK,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CLOSE,
    CLOSE_OK,
    CONSUME,
    CONSUME_NO_ACK,
    CONSUME_OK,
    HEADER,
    HEARTBEAT,
    METHOD,
    OPEN,
    PROTOCOL_HEADER,
    QUEUE_DECLARE,
    QUEUE_DECLARE_OK,
    START_OK,
    START_OK_CAPABLE,
    TUNE_OK,
    TUNE_OK_10_S,
    TUNE_OK_4096_BYTES,
    Conversation,
    closed,
    frame,
    message,
    opened,
)

# 4.2.6.1: property flags content-type (bit 15) and expiration (bit 8), and the two short strings.
PROPERTIES = b"\x81\x00\x0atext/plain\x0510000"


DELIVERED = b"\x00\x3c\x00\x3c\x01t%b%b\x00\x01q"  # 1.8.3.9: tag, delivery-tag, redelivered, exchange, routing-key


def delivered(tag: int, *pieces: bytes, redelivered: bool = False, properties: bytes = b"\0\0") -> bytes:
    """Return the delivery of a message of queue q to consumer t."""
    size = struct.pack(">Q", sum(map(len, pieces)))
    return (
        frame(METHOD, 1, DELIVERED % (struct.pack(">Q", tag), bytes([redelivered])))
        + frame(HEADER, 1, b"\x00\x3c\x00\x00" + size + properties)
        + b"".join(frame(BODY, 1, piece) for piece in pieces)
    )


def test_all_of_it_may_come_at_once_or_one_byte_at_a_time() -> None:
    said = PROTOCOL_HEADER + START_OK + TUNE_OK + OPEN + CHANNEL_OPEN + QUEUE_DECLARE + message(b"q", b"abc", b"def")
    at_once = Conversation().say(said, CONSUME)
    slowly = Conversation()
    one_by_one = b"".join(slowly.say(bytes([byte])) for byte in said + CONSUME)
    assert one_by_one == at_once
    assert at_once.endswith(QUEUE_DECLARE_OK + CONSUME_OK + delivered(1, b"abcdef"))


def test_a_queue_is_declared_and_a_message_of_two_frames_delivered() -> None:
    conversation = opened()
    assert conversation.say(QUEUE_DECLARE) == QUEUE_DECLARE_OK
    assert conversation.say(message(b"q", b"abc", b"def", properties=PROPERTIES)) == b""
    counted = conversation.say(QUEUE_DECLARE)
    assert counted == QUEUE_DECLARE_OK[:-9] + b"\x00\x00\x00\x01\x00\x00\x00\x00\xce"
    assert conversation.say(CONSUME) == CONSUME_OK + delivered(1, b"abcdef", properties=PROPERTIES)
    assert conversation.say(message(b"q")) == delivered(2)


def test_a_body_is_cut_for_a_client_that_takes_small_frames() -> None:
    conversation = opened(tune_ok=TUNE_OK_4096_BYTES)
    conversation.say(QUEUE_DECLARE, CONSUME_NO_ACK)
    pieces = (b"x" * 4088, b"y" * 4088, b"z")
    assert conversation.say(message(b"q", *pieces)) == delivered(1, *pieces)


def test_a_message_without_a_queue_comes_back_before_its_acknowledgement() -> None:
    conversation = opened()
    # Confirm is an extension: class 85, select 10, select-ok 11; then basic.ack, 1.8.3.13.
    assert conversation.say(frame(METHOD, 1, b"\x00\x55\x00\x0a\x00")) == frame(METHOD, 1, b"\x00\x55\x00\x0b")
    returned = (
        frame(METHOD, 1, b"\x00\x3c\x00\x32\x01\x38\x08NO_ROUTE\x00\x04nope")  # 1.8.3.8, reply code 312
        + frame(HEADER, 1, b"\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03" + PROPERTIES)
        + frame(BODY, 1, b"abc")
    )
    acknowledged = frame(METHOD, 1, b"\x00\x3c\x00\x50\x00\x00\x00\x00\x00\x00\x00\x01\x00")
    assert conversation.say(message(b"nope", b"abc", bits=1, properties=PROPERTIES)) == returned + acknowledged


def test_many_publishes_are_confirmed_with_one_acknowledgement() -> None:
    conversation = opened()
    conversation.say(frame(METHOD, 1, b"\x00\x55\x00\x0a\x01"))  # nowait
    for count, total, multiple in ((7, 7, 1), (1, 8, 0)):
        acknowledged = b"\x00\x3c\x00\x50" + struct.pack(">QB", total, multiple)
        assert conversation.say(message(b"x", b"1") * count) == frame(METHOD, 1, acknowledged)


def test_what_is_acknowledged_is_gone_and_what_is_refused_comes_again() -> None:
    conversation = opened()
    conversation.say(QUEUE_DECLARE, message(b"q", b"a"), message(b"q", b"b"), CONSUME)
    ack = b"\x00\x3c\x00\x50\x00\x00\x00\x00\x00\x00\x00\x01\x00"  # 1.8.3.13: tag 1, not multiple
    assert conversation.say(frame(METHOD, 1, ack)) == b""
    reject = b"\x00\x3c\x00\x5a\x00\x00\x00\x00\x00\x00\x00\x02\x01"  # 1.8.3.14: tag 2, requeue
    assert conversation.say(frame(METHOD, 1, reject)) == delivered(3, b"b", redelivered=True)
    nack = b"\x00\x3c\x00\x78\x00\x00\x00\x00\x00\x00\x00\x03\x02"  # RabbitMQ's basic.nack: tag 3, requeue
    assert conversation.say(frame(METHOD, 1, nack)) == delivered(4, b"b", redelivered=True)
    assert conversation.say(frame(METHOD, 1, ack)) == closed(
        1, 406, "PRECONDITION_FAILED - unknown delivery tag 1", 60, 80
    )


def test_heartbeats_go_both_ways() -> None:
    conversation = opened(tune_ok=TUNE_OK_10_S)
    assert conversation.tick(4.9) == b""
    assert conversation.tick(5.0) == HEARTBEAT
    assert conversation.tick(9.9) == b""
    assert conversation.say(HEARTBEAT) == b""
    assert conversation.tick(29.9) == HEARTBEAT
    assert not conversation.session.is_over
    conversation.tick(30.0)
    assert conversation.session.is_over


def test_a_client_that_is_gone_leaves_nothing() -> None:
    conversation = opened(tune_ok=TUNE_OK_10_S)
    conversation.say(QUEUE_DECLARE, CONSUME, message(b"q", b"a"))
    conversation.tick(20.1)
    assert conversation.session.is_over
    assert not conversation.host.queues and conversation.host.memory.used == 0


def test_without_heartbeats_silence_is_no_fault() -> None:
    conversation = opened()
    assert conversation.tick(1e6) == b""
    assert not conversation.session.is_over


def test_closing() -> None:
    conversation = opened()
    assert conversation.say(CHANNEL_CLOSE) == CHANNEL_CLOSE_OK
    assert conversation.say(CHANNEL_OPEN) == CHANNEL_OPEN_OK
    conversation.say(QUEUE_DECLARE)
    assert conversation.say(CLOSE) == CLOSE_OK
    assert conversation.session.is_over and not conversation.host.queues
    assert conversation.say(CHANNEL_OPEN) == b""


def test_a_soft_error_closes_the_channel_only() -> None:
    conversation = opened()
    passive = frame(METHOD, 1, b"\x00\x32\x00\x0a\x00\x00\x04nope\x01\x00\x00\x00\x00")
    assert conversation.say(passive) == closed(1, 404, "NOT_FOUND - no queue 'nope' in vhost '/'", 50, 10)
    assert conversation.say(passive, message(b"q", b"ignored")) == b""
    assert conversation.say(CHANNEL_CLOSE_OK, CHANNEL_OPEN) == CHANNEL_OPEN_OK


def test_a_hard_error_closes_the_connection() -> None:
    conversation = opened()
    get = frame(METHOD, 1, b"\x00\x3c\x00\x46\x00\x00\x01q\x00")  # 1.8.3.10
    conversation.say(QUEUE_DECLARE)
    text = "NOT_IMPLEMENTED - the embedded broker has no basic.get: consume instead"
    assert conversation.say(get) == closed(0, 540, text, 60, 70)
    assert not conversation.host.queues
    assert conversation.say(QUEUE_DECLARE, b"\xff" * 1000) == b""
    assert not conversation.session.is_over
    conversation.tick(5.0)
    assert conversation.session.is_over


@pytest.mark.parametrize("answer", [CLOSE_OK, CLOSE])
def test_the_connection_ends_when_the_client_knows(answer: bytes) -> None:
    conversation = opened()
    conversation.say(frame(METHOD, 1, b"\x00\x5a\x00\x0a"))  # 1.9.2.1: tx.select
    conversation.say(answer)
    assert conversation.session.is_over


def test_a_frame_larger_than_agreed_is_an_error() -> None:
    conversation = opened(tune_ok=TUNE_OK_4096_BYTES)
    answer = conversation.say(b"\x03\x00\x01\x00\x00\x0f\xf9x")
    assert answer[7:13] == b"\x00\x0a\x00\x32\x01\xf5"  # connection.close 501


def test_a_consumer_is_told_when_its_queue_is_deleted() -> None:
    delete = frame(METHOD, 1, b"\x00\x32\x00\x28\x00\x00\x01q\x00")  # 1.7.2.9
    deleted = frame(METHOD, 1, b"\x00\x32\x00\x29\x00\x00\x00\x00")  # 1.7.2.10
    cancel = frame(METHOD, 1, b"\x00\x3c\x00\x1e\x01t\x01")  # 1.8.3.5, as RabbitMQ sends it to clients
    for start_ok, told in ((START_OK, b""), (START_OK_CAPABLE, cancel)):
        conversation = opened(start_ok=start_ok)
        conversation.say(QUEUE_DECLARE, CONSUME)
        assert conversation.say(delete) == told + deleted
        assert conversation.say(QUEUE_DECLARE, CONSUME) == QUEUE_DECLARE_OK + CONSUME_OK


def test_a_message_is_routed_when_it_is_complete() -> None:
    conversation = opened()
    other = opened(conversation.host)
    declare = frame(METHOD, 1, b"\x00\x32\x00\x0a\x00\x00\x01q\x00\x00\x00\x00\x00")
    conversation.say(declare)
    end = b"\x03\x00\x01\x00\x00\x00\x03abc\xce"
    begin = message(b"q", b"abc", bits=1)[: -len(end)]
    assert conversation.say(begin) == b""
    other.say(frame(METHOD, 1, b"\x00\x32\x00\x28\x00\x00\x01q\x00"))  # 1.7.2.9: queue.delete
    assert b"\x08NO_ROUTE\x00\x01q" in conversation.say(end)
    assert conversation.host.memory.used == 0

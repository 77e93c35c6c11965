"""Byte for byte; the numbers are sections of the AMQP 0-9-1 specification."""

from __future__ import annotations

import pytest

from tests.broker.spoken import (
    BODY,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CLOSE,
    METHOD,
    OPEN,
    OPEN_OK,
    PROTOCOL_HEADER,
    QUEUE_DECLARE,
    START_OK,
    START_OK_CAPABLE,
    TUNE,
    TUNE_OK,
    Conversation,
    closed,
    frame,
)


def test_the_handshake() -> None:
    conversation = Conversation()
    start = conversation.say(PROTOCOL_HEADER)
    # 1.4.2.1: version 0-9, server-properties, mechanisms, locales.
    assert start.startswith(b"\x01\x00\x00") and start[7:13] == b"\x00\x0a\x00\x0a\x00\x09"
    assert start.endswith(b"\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US\xce")
    assert b"\x12publisher_confirmst\x01" in start and b"\x1aexchange_exchange_bindingst\x00" in start
    assert conversation.say(START_OK) == TUNE
    assert conversation.say(TUNE_OK) == b""
    assert conversation.say(OPEN) == OPEN_OK
    assert conversation.say(CHANNEL_OPEN) == CHANNEL_OPEN_OK
    assert not conversation.session.is_over


@pytest.mark.parametrize(
    "header", [b"GET / HTTP/1.1\r\n", b"AMQP\x00\x01\x00\x00", b"AMQP\x03\x01\x00\x00", b"\x16", b"AMQP\x01"]
)
def test_another_protocol_is_answered_with_our_header(header: bytes) -> None:
    conversation = Conversation()
    assert conversation.say(header) == PROTOCOL_HEADER
    assert conversation.session.is_over


@pytest.mark.parametrize("said", [b"", b"AMQ", PROTOCOL_HEADER, PROTOCOL_HEADER + START_OK])
def test_a_handshake_that_takes_too_long_ends(said: bytes) -> None:
    conversation = Conversation()
    conversation.say(said)
    conversation.tick(9.9)
    assert not conversation.session.is_over
    conversation.tick(10.0)
    assert conversation.session.is_over


def test_a_wrong_password_is_told_to_who_understands_it() -> None:
    right = b"\0guest\0guest"
    refused = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN."
    told = closed(0, 403, f"{refused} For details see the broker logfile.", 0, 0)
    for start_ok, answer in (
        (START_OK.replace(right, b"\0guest\0wrong"), b""),
        (START_OK_CAPABLE.replace(right, b"\0nobod\0guest"), told),
    ):
        conversation = Conversation()
        conversation.say(PROTOCOL_HEADER)
        assert conversation.say(start_ok) == answer
        assert conversation.session.is_over is not bool(answer)


def test_there_is_one_virtual_host() -> None:
    conversation = Conversation()
    conversation.say(PROTOCOL_HEADER, START_OK, TUNE_OK)
    other = frame(METHOD, 0, b"\x00\x0a\x00\x28\x05other\x00\x00")
    assert conversation.say(other) == closed(0, 530, "NOT_ALLOWED - vhost other not found", 10, 40)


TOO_EARLY = [
    *(TUNE_OK, OPEN, CHANNEL_OPEN, CLOSE, QUEUE_DECLARE),
    *(frame(BODY, 0, b"x"), frame(METHOD, 0, b"\0"), b"\xff" * 99),
]


@pytest.mark.parametrize("said", TOO_EARLY)
def test_another_order_of_the_handshake_ends_it_without_a_word(said: bytes) -> None:
    conversation = Conversation()
    conversation.say(PROTOCOL_HEADER)
    assert conversation.say(said) == b""
    assert conversation.session.is_over


@pytest.mark.parametrize(
    "limits",
    [
        b"\x00\x00\x00\x02\x00\x00",
        b"\x08\x00\x00\x02\x00\x00",
        b"\x07\xff\x00\x00\x0f\xff",
        b"\x07\xff\x00\x02\x00\x01",
    ],
)
def test_limits_beyond_those_offered_end_the_handshake(limits: bytes) -> None:
    conversation = Conversation()
    conversation.say(PROTOCOL_HEADER, START_OK)
    answer = conversation.say(frame(METHOD, 0, b"\x00\x0a\x00\x1f" + limits + b"\x00\x00"), OPEN)
    assert answer[7:13] == b"\x00\x0a\x00\x32\x02\x12"  # connection.close 530

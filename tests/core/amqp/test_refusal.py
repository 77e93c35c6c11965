"""Which message the broker means when it closes a channel."""

from typing import Any

import pytest
from pika.exceptions import ChannelClosedByBroker

from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.amqp.refusal import is_meant, names_one, words_of

# What RabbitMQ 3.10 says.
TOO_LARGE = "PRECONDITION_FAILED - message size 7 is larger than configured max size 5"
NO_EXCHANGE = "NOT_FOUND - no exchange 'alerts' in vhost '/'"
NO_TOPIC = "ACCESS_REFUSED - write access to topic 'a.b' in exchange 'alerts' in vhost '/' refused for user 'guest'"
NO_TOPIC_7 = NO_TOPIC.replace("a.b", "message size 7")


@pytest.mark.parametrize(
    ("exchange", "key", "body", "text", "meant"),
    [
        ("alerts", "a.b", b"7 bytes", TOO_LARGE, True),
        ("alerts", "a.b", b"8 bytes!", TOO_LARGE, False),
        ("alerts", "a.b", b"", NO_EXCHANGE, True),
        ("requests", "a.b", b"", NO_EXCHANGE, False),
        ("alerts", "a.b", b"", NO_TOPIC, True),
        ("alerts", "a.c", b"", NO_TOPIC, False),
        ("requests", "a.b", b"", NO_TOPIC, False),
        ("alerts", "a.b", b"", "INTERNAL_ERROR", False),
        # A peer chooses the key of the reply to it.
        (
            "requests",
            "message size 7",
            b"",
            NO_TOPIC.replace("a.b", "message size 7").replace("alerts", "requests"),
            True,
        ),
        ("alerts", "a.b", b"7 bytes", NO_TOPIC.replace("a.b", "message size 7"), False),
    ],
)
def test_the_text_names_a_size_a_topic_or_an_exchange(
    exchange: str, key: str, body: bytes, text: str, meant: bool
) -> None:
    assert is_meant(Outgoing(exchange, key, body), text) is meant


@pytest.mark.parametrize(("letter", "half"), [("p", b""), ("ü", b""), ("ü", b"\xc3")])
def test_a_text_that_was_cut_names_what_begins_as_it_does(letter: str, half: bytes) -> None:
    said = f"ACCESS_REFUSED - access to topic '{letter * 100}".encode() + half + b"..."
    text = words_of(ChannelClosedByBroker(403, said if half else said.decode()))
    assert "topic 'ü" in text or letter == "p"
    assert is_meant(Outgoing("requests", letter * 120, b""), text)
    assert is_meant(Outgoing("requests", letter * 101 + "x", b""), text)
    assert not is_meant(Outgoing("requests", letter * 99 + "x", b""), text)
    assert not is_meant(Outgoing("requests", letter * 99, b""), text)


def test_a_text_that_was_cut_behind_the_topic_still_names_it() -> None:
    text = "ACCESS_REFUSED - access to topic 'a.b' in exchange 'alerts' in vhost '/' refused for us..."
    assert is_meant(Outgoing("alerts", "a.b", b""), text)
    assert not is_meant(Outgoing("alerts", "a.bc", b""), text)
    text = "ACCESS_REFUSED - access to topic 'a.b' in exchange 'ale..."
    assert is_meant(Outgoing("alerts", "a.b", b""), text)
    assert not is_meant(Outgoing("requests", "a.b", b""), text)
    assert not is_meant(Outgoing("alerts", "a.c", b""), text)


def test_a_key_that_is_no_text_is_recognised() -> None:
    key: Any = b"\xff\xfe"
    said: Any = b"ACCESS_REFUSED - access to topic '\xff\xfe' in exchange 'requests' in vhost '/' refused"
    text = words_of(ChannelClosedByBroker(403, said))
    assert is_meant(Outgoing("requests", key, b""), text)


def test_an_exchange_alone_names_no_message() -> None:
    assert [names_one(text) for text in (TOO_LARGE, NO_TOPIC, NO_EXCHANGE)] == [True, True, False]

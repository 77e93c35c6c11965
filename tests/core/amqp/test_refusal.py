"""Which message the broker means when it closes a channel."""

import pytest

from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.amqp.refusal import is_meant

# What RabbitMQ 3.10 says.
TOO_LARGE = "PRECONDITION_FAILED - message size 7 is larger than configured max size 5"
NO_EXCHANGE = "NOT_FOUND - no exchange 'alerts' in vhost '/'"
NO_TOPIC = "ACCESS_REFUSED - write access to topic 'a.b' in exchange 'alerts' in vhost '/' refused for user 'guest'"


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
    ],
)
def test_the_text_names_a_size_a_topic_or_an_exchange(
    exchange: str, key: str, body: bytes, text: str, meant: bool
) -> None:
    assert is_meant(Outgoing(exchange, key, body), text) is meant

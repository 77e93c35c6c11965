"""What goes out to the broker and what comes in, without a word of pika."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from dragonfly.core.routing import checked_key


class Outcome(Enum):
    """What became of a message that was handed to the broker."""

    CONFIRMED = "confirmed"  # the broker has it
    RETURNED = "returned"  # nobody is bound for it
    REFUSED = "refused"  # the broker does not take it
    LOST = "lost"  # the connection ended before the broker said anything


Done = Callable[[Outcome, str], None]


class Outgoing:
    """A message on its way out.

    Args:
        exchange: the exchange to publish to.
        routing_key: the routing key.
        body: the bytes.
        correlation_id: of a request and of its reply.
        reply_to: where a reply goes.
        headers: AMQP headers.
        expiration: time that the broker may hold the message, ms.
        message_id: the same for each time that an alert is sent.
        persistent: whether the broker writes it to disk, where a durable queue takes it.
        mandatory: whether the broker returns it when nobody is bound for it.
        keep: how long it may wait for a connection, s; 0 is not at all.
        resend: whether it goes out again when the connection ended before the broker confirmed it.
        done: called once, on the I/O thread, with the outcome and, where it is bad, the reason.

    Raises:
        DriplineValueError: the routing key is longer than AMQP can carry, or no text that can be sent.
    """

    __slots__ = (
        "attempts",
        "body",
        "cancelled",
        "correlation_id",
        "done",
        "exchange",
        "expiration",
        "headers",
        "keep",
        "made",
        "mandatory",
        "message_id",
        "persistent",
        "reply_to",
        "resend",
        "returned",
        "routing_key",
    )

    def __init__(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        correlation_id: str | None = None,
        reply_to: str | None = None,
        headers: dict[str, Any] | None = None,
        expiration: int | None = None,
        message_id: str | None = None,
        persistent: bool = False,
        mandatory: bool = False,
        keep: float = 0.0,
        resend: bool = False,
        done: Done | None = None,
    ) -> None:
        self.exchange = exchange
        self.routing_key = checked_key(routing_key)
        self.body = body
        self.correlation_id = correlation_id
        self.reply_to = reply_to
        self.headers = headers
        self.expiration = expiration
        self.message_id = message_id
        self.persistent = persistent
        self.mandatory = mandatory
        self.keep = keep
        self.resend = resend
        self.done = done
        self.made = time.monotonic()
        self.attempts = 0
        self.returned = False
        # Whether nobody waits for it any more: then it is not sent, if it was not yet.
        self.cancelled = False

    @property
    def tag(self) -> str | None:
        """What a returned message is recognised by."""
        return self.message_id or self.correlation_id

    def may_wait(self, seconds: float) -> None:
        """Let it wait so long from now, at least, whatever it has waited already."""
        self.keep = max(self.keep, time.monotonic() - self.made + seconds)

    def finish(self, outcome: Outcome, reason: str = "") -> None:
        """Tell whoever waits what became of the message."""
        done, self.done = self.done, None
        if done is not None:
            done(outcome, reason)


class Delivery:
    """A message that came in, with the properties that this protocol uses.

    The texts may be anything that AMQP can carry: a short string that is no UTF-8 is shown with backslashes.

    Args:
        method: AMQP's method, which says where it comes from.
        properties: AMQP's properties.
        body: the bytes.
        channel: what it came on, since its tag means nothing on any other.
    """

    __slots__ = (
        "app_id",
        "arrived",
        "body",
        "channel",
        "content_encoding",
        "correlation_id",
        "exchange",
        "expiration",
        "headers",
        "message_id",
        "redelivered",
        "reply_to",
        "routing_key",
        "tag",
    )

    def __init__(self, method: Any, properties: Any, body: bytes, channel: Any = None) -> None:
        self.exchange = text_of(method.exchange) or ""
        self.routing_key = text_of(method.routing_key) or ""
        self.redelivered = bool(method.redelivered)
        self.channel = channel
        self.tag: int = method.delivery_tag
        self.body = body
        self.content_encoding = text_of(properties.content_encoding)
        # Both go back to the peer as they came: even bytes that are no text.
        self.correlation_id: Any = properties.correlation_id
        self.reply_to: Any = properties.reply_to
        self.app_id = text_of(properties.app_id)
        self.expiration = text_of(properties.expiration)
        self.message_id = text_of(properties.message_id)
        self.headers: dict[Any, Any] = properties.headers or {}
        self.arrived = time.monotonic()

    @classmethod
    def blank(cls, channel: Any) -> Delivery:
        """Return one with nothing in it but where and when it came, for who sets the rest."""
        delivery = cls.__new__(cls)
        delivery.channel = channel
        delivery.arrived = time.monotonic()
        delivery.content_encoding = delivery.app_id = delivery.expiration = delivery.message_id = None
        delivery.correlation_id = delivery.reply_to = None
        delivery.headers = {}
        return delivery


def text_of(value: Any) -> str | None:
    """Return a short string as text, whatever its bytes are."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, str) else str(value)

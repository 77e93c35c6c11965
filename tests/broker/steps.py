"""What a client does and what a broker answers: the steps of which the scenarios are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pika import spec

from tests.broker.wire_client import WireClient, shown

Lines = Iterator[str]
EXCHANGE, OTHER = "conformance", "conformance_other"


def declare(client: WireClient, name: str = "", *, exclusive: bool = True, **more: Any) -> str:
    """Declare a queue and return its name."""
    received = client.ask(spec.Queue.Declare(queue=name, exclusive=exclusive, **more))
    return str(received.method.queue)


def consume(client: WireClient, queue: str, tag: str = "tag", **more: Any) -> None:
    """Consume, and wait until the broker has said so."""
    client.ask(spec.Basic.Consume(queue=queue, consumer_tag=tag, **more))


def counts(client: WireClient, queue: str) -> str:
    """Return how many messages wait and how many consumers there are."""
    return shown(client.ask(spec.Queue.Declare(queue=queue, passive=True)))


def fill(client: WireClient, queue: str, messages: Iterable[str], **properties: Any) -> None:
    """Put messages into a queue; returns when they are there, which alone makes a count worth asking for."""
    client.ask(spec.Confirm.Select())
    for body in messages:
        client.publish("", queue, body, **properties)
        client.read_until(spec.Basic.Ack)


def bodies(client: WireClient, count: int) -> str:
    """Return so many deliveries in one line; those marked as redelivered have an R."""
    seen = [client.message() for _ in range(count)]
    return " ".join(body.decode() + ("R" if method.redelivered else "") for method, _, body in seen)

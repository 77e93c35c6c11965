"""A client without dragonfly: bare pika, for messages that no client of ours would send."""

from __future__ import annotations

import time
import uuid
from collections import deque
from types import TracebackType
from typing import Any, NamedTuple

import pika


class Seen(NamedTuple):
    """A message that came."""

    method: Any
    properties: Any
    body: bytes


class RawClient:
    """A blocking AMQP client with a reply queue, bound as the original's clients bind theirs."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self.connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port)))
        self.channel = self.connection.channel()
        self._seen: dict[str, deque[Seen]] = {}
        for exchange in ("requests", "alerts"):
            self.channel.exchange_declare(exchange, "topic")
        self.reply_queue = f"request_reply{uuid.uuid4()}"
        self.listen(self.reply_queue, "requests", self.reply_queue)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.connection.close()

    def listen(self, queue: str, exchange: str, key: str) -> str:
        """Declare a queue of our own and bind it; return its name."""
        self.channel.queue_declare(queue, exclusive=True, auto_delete=True)
        self.channel.queue_bind(queue, exchange, key)
        seen = self._seen[queue] = deque()
        self.channel.basic_consume(
            queue, lambda channel, method, properties, body: seen.append(Seen(method, properties, body)), auto_ack=True
        )
        return queue

    def publish(
        self, routing_key: str, body: bytes, properties: pika.BasicProperties | None = None, exchange: str = "requests"
    ) -> str:
        """Publish bytes; return the correlation id of their reply."""
        properties = properties or self.properties()
        self.channel.basic_publish(exchange, routing_key, body, properties)
        return str(properties.correlation_id)

    def properties(self, **changes: Any) -> pika.BasicProperties:
        """Return the four properties that the original's clients set, with changes."""
        fields = {
            "content_encoding": "application/json",
            "correlation_id": str(uuid.uuid4()),
            "reply_to": self.reply_queue,
            "app_id": "dripline.core.Service",
            **changes,
        }
        return pika.BasicProperties(**fields)

    def next(self, queue: str | None = None, timeout: float = 5.0) -> Seen | None:
        """Return the next message of a queue, of the reply queue by default; None where none comes in `timeout` s."""
        seen = self._seen[queue or self.reply_queue]
        deadline = time.monotonic() + timeout
        while not seen and time.monotonic() < deadline:
            self.connection.process_data_events(0.005)
        return seen.popleft() if seen else None

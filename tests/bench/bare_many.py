"""The floor of request_many: python -m tests.bench.bare_many HOST:PORT TARGET, a worker.

One thread with pika's SelectConnection: up to 1,000 gets on their way, each with its own correlation_id, mandatory,
confirmed and with an expiration; the replies are decoded and come in the order of the requests.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from uuid import uuid4

import pika

from tests.bench.answering import answer_lines
from tests.bench.load import IN_FLIGHT, SENDER, TIMEOUT_MS
from tests.bench.wire import REQUESTS


class BareMany:
    """A client.

    Args:
        address: HOST:PORT of the broker.
        target: whom it asks.
    """

    def __init__(self, address: str, target: str) -> None:
        self._target = target
        self._queue = f"request_reply-bare-{uuid4()}"
        self._unconfirmed: dict[int, str] = {}
        self._tag = 0
        host, _, port = address.rpartition(":")
        self._connection = pika.SelectConnection(
            pika.ConnectionParameters(host, int(port)),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
            on_close_callback=lambda _, reason: sys.exit(f"the connection is lost: {reason}"),
        )
        self._connection.ioloop.start()

    def many(self, count: int) -> list[Any]:
        """Return the replies to so many gets."""
        self._left, self._missing = count, count
        self._places: dict[str, int] = {}
        self._replies: list[Any] = [None] * count
        for _ in range(min(IN_FLIGHT, count)):
            self._send()
        self._connection.ioloop.start()
        return self._replies

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm)
        channel.add_on_return_callback(lambda *_: sys.exit("a get came back"))
        channel.exchange_declare(REQUESTS, "topic")
        channel.queue_declare(self._queue, exclusive=True, auto_delete=True)
        channel.queue_bind(self._queue, REQUESTS, self._queue)
        channel.basic_consume(
            self._queue, self._on_reply, auto_ack=True, callback=lambda _: self._connection.ioloop.stop()
        )

    def _on_confirm(self, confirm: Any) -> None:
        last = confirm.method.delivery_tag
        tags = [tag for tag in self._unconfirmed if tag <= last] if confirm.method.multiple else [last]
        for tag in tags:
            self._unconfirmed.pop(tag, None)

    def _send(self) -> None:
        correlation_id = str(uuid4())
        self._places[correlation_id] = len(self._replies) - self._left
        self._left -= 1
        self._tag += 1
        self._unconfirmed[self._tag] = correlation_id
        request = {
            "msgtype": 3,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "sender_info": SENDER,
            "msgop": 1,
            "payload": {"values": []},
        }
        properties = pika.BasicProperties(
            content_encoding="application/json",
            headers={"deadline": int(time.time() * 1000) + TIMEOUT_MS},
            correlation_id=correlation_id,
            reply_to=self._queue,
            expiration=str(TIMEOUT_MS),
            app_id="dripline.core.Service",
        )
        self._channel.basic_publish(REQUESTS, self._target, json.dumps(request).encode(), properties, mandatory=True)

    def _on_reply(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        place = self._places.pop(properties.correlation_id, None)
        if place is None:
            return
        self._replies[place] = json.loads(body)
        self._missing -= 1
        if self._left:
            self._send()
        if not self._missing:
            self._connection.ioloop.stop()


def main(address: str, target: str) -> None:
    """Answer lines until there are no more."""
    client = BareMany(address, target)

    def many(count: int) -> None:
        if any(reply["retcode"] for reply in client.many(count)):
            raise RuntimeError(f"not all of {count} gets were answered well")

    answer_lines(many)


if __name__ == "__main__":
    main(*sys.argv[1:])

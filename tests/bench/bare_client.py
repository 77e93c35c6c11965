"""The floor of a client: a get with pika's BlockingConnection, mandatory and confirmed.

python tests/bench/bare_client.py HOST:PORT TARGET
"""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Any
from uuid import uuid4

import pika

EXCHANGE = "requests"
TIMEOUT = 10.0


class BareClient:
    """A client on one connection, with one reply queue.

    Args:
        address: HOST:PORT of the broker.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._correlation_id = ""
        self._reply: bytes | None = None

    def __enter__(self) -> BareClient:
        host, _, port = self._address.rpartition(":")
        self._connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port)))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._channel.exchange_declare(EXCHANGE, "topic")
        self._queue = f"request_reply-bare-{uuid4()}"
        self._channel.queue_declare(self._queue, exclusive=True, auto_delete=True)
        self._channel.queue_bind(self._queue, EXCHANGE, self._queue)
        self._channel.basic_consume(self._queue, self._on_reply, auto_ack=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, target: str) -> Any:
        """Return the decoded reply to a get."""
        self._reply, self._correlation_id = None, str(uuid4())
        request = {"msgtype": 3, "msgop": 1, "timestamp": "", "sender_info": {}, "payload": {"values": []}}
        properties = pika.BasicProperties(
            content_encoding="application/json",
            headers={"deadline": int((time.time() + TIMEOUT) * 1000)},
            correlation_id=self._correlation_id,
            reply_to=self._queue,
            expiration=str(int(TIMEOUT * 1000)),
        )
        self._channel.basic_publish(EXCHANGE, target, json.dumps(request).encode(), properties, mandatory=True)
        deadline = time.monotonic() + TIMEOUT
        while self._reply is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no reply from {target}")
            self._connection.process_data_events(time_limit=TIMEOUT)
        return json.loads(self._reply)

    def _on_reply(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        if properties.correlation_id == self._correlation_id:
            self._reply = body


if __name__ == "__main__":
    with BareClient(sys.argv[1]) as client:
        print(client.get(sys.argv[2])["payload"])

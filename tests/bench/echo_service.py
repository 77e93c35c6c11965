"""The floor of a service: pika's SelectConnection, which answers every request with the same bytes.

python -m tests.bench.echo_service HOST:PORT REPLY
"""

from __future__ import annotations

import signal
import sys
from typing import Any

import pika

EXCHANGE = "requests"
QUEUE = "bench_echo"


def serve(address: str, reply: bytes) -> None:
    """Answer requests until the process gets SIGTERM."""
    host, _, port = address.rpartition(":")

    def on_open(connection: Any) -> None:
        connection.channel(on_open_callback=on_channel)

    def on_channel(channel: Any) -> None:
        channel.exchange_declare(EXCHANGE, "topic")
        channel.queue_declare(QUEUE, exclusive=True, auto_delete=True)
        channel.queue_bind(QUEUE, EXCHANGE, "echo.#", callback=lambda frame: consume(channel))

    def consume(channel: Any) -> None:
        channel.basic_consume(QUEUE, on_message, auto_ack=True)

    def on_message(channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        answer = pika.BasicProperties(
            content_encoding="application/json", correlation_id=properties.correlation_id, app_id="bench"
        )
        channel.basic_publish(EXCHANGE, properties.reply_to, reply, answer)

    parameters = pika.ConnectionParameters(host, int(port))
    connection = pika.SelectConnection(parameters, on_open_callback=on_open)
    connection.ioloop.start()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(sys.argv[1], sys.argv[2].encode("utf-8"))

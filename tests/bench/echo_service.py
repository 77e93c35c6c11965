"""The floor of a service: pika's SelectConnection, which answers every request with the same bytes.

python -m tests.bench.echo_service HOST:PORT [--name NAME] [--bindings FILE] [--alerts] [--size BYTES]
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

import pika

from tests.bench.load import REPLY_BODY, reply_body
from tests.bench.wire import ALERTS, REQUESTS

ALERT_KEY = "sensor_value.echo"


def serve(address: str, queue: str, keys: list[str], alerts: bool, body: bytes) -> None:
    """Answer requests until the process gets SIGTERM.

    Args:
        address: HOST:PORT of the broker.
        queue: the queue's name.
        keys: what it is bound to, each with all specifiers.
        alerts: whether an alert goes out for each request.
        body: of each reply.
    """
    host, _, port = address.rpartition(":")

    def on_open(connection: Any) -> None:
        connection.channel(on_open_callback=on_channel)

    def on_channel(channel: Any) -> None:
        channel.exchange_declare(REQUESTS, "topic")
        channel.queue_declare(queue, exclusive=True, auto_delete=True)
        for key in keys[:-1]:
            channel.queue_bind(queue, REQUESTS, f"{key}.#")
        channel.queue_bind(queue, REQUESTS, f"{keys[-1]}.#", callback=lambda frame: consume(channel))

    def consume(channel: Any) -> None:
        channel.basic_consume(queue, on_message, auto_ack=True)

    def on_message(channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        answer = pika.BasicProperties(
            content_encoding="application/json", correlation_id=properties.correlation_id, app_id="bench"
        )
        if alerts:
            channel.basic_publish(ALERTS, ALERT_KEY, REPLY_BODY, answer)
        channel.basic_publish(REQUESTS, properties.reply_to, body, answer)

    parameters = pika.ConnectionParameters(host, int(port))
    connection: Any = pika.SelectConnection(
        parameters, on_open_callback=on_open, on_close_callback=lambda *_: connection.ioloop.stop()
    )
    connection.ioloop.start()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--name", default="echo")
    parser.add_argument("--bindings", type=Path, help="file with a key in each line; the name by default")
    parser.add_argument("--alerts", action="store_true")
    parser.add_argument("--size", type=int, help="of the value that it answers, a text; it is a number by default")
    args = parser.parse_args()
    keys = args.bindings.read_text().split() if args.bindings else [args.name]
    body = REPLY_BODY if args.size is None else reply_body({"value_raw": "x" * args.size})
    serve(args.address, f"bench_{args.name}", keys, args.alerts, body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()

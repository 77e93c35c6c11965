"""The floor of whatever listens to alerts: bare pika, which decodes each and writes it as indented JSON.

python tests/bench/bare_listener.py HOST:PORT PREFETCH
"""

from __future__ import annotations

import json
import sys

import pika

PREFETCH = 1_000
_ACKNOWLEDGE_EVERY = 100


def main(address: str, prefetch: int) -> None:
    """Write every alert to stdout until the process is ended."""
    host, _, port = address.rpartition(":")
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port)))
    channel = connection.channel()
    channel.exchange_declare("alerts", "topic")
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, "alerts", "#")
    channel.basic_qos(prefetch_count=prefetch)
    print("listening", file=sys.stderr, flush=True)
    every = min(_ACKNOWLEDGE_EVERY, prefetch // 2)
    for method, properties, body in channel.consume(queue, inactivity_timeout=0.05):
        if method is None:
            sys.stdout.flush()
            continue
        text = json.dumps(json.loads(body), indent=4)
        sys.stdout.write(f"{properties.app_id} [{method.routing_key}]     (From App [routing_key])\n{text}\n")
        if method.delivery_tag % every == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

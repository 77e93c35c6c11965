"""The floor of a logging service: python -m tests.bench.bare_ticker HOST:PORT ENDPOINTS INTERVAL.

Bare pika, with a timer that sends the alerts that are due, a hundred times a second.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

import pika

from tests.bench.load import SENDER
from tests.bench.wire import ALERTS

_PERIOD = 0.01  # s


class Ticker:
    """What sends the alerts.

    Args:
        endpoints: how many take turns.
        interval: how often each tells its value, s.
    """

    def __init__(self, endpoints: int, interval: float) -> None:
        self._endpoints = endpoints
        self._rate = endpoints / interval
        self._sent = 0

    def opened(self, channel: Any) -> None:
        """Begin on a channel."""
        channel.exchange_declare(ALERTS, "topic", callback=lambda _: self._tick(channel, time.monotonic()))

    def _tick(self, channel: Any, begin: float) -> None:
        while self._sent < (time.monotonic() - begin) * self._rate:
            self._send(channel)
        channel.connection.ioloop.call_later(_PERIOD, lambda: self._tick(channel, begin))

    def _send(self, channel: Any) -> None:
        turn, endpoint = divmod(self._sent, self._endpoints)
        self._sent += 1
        alert = {
            "msgtype": 4,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "sender_info": {**SENDER, "service_name": "logging"},
            "payload": {"value_raw": turn, "value_cal": turn},
        }
        properties = pika.BasicProperties(content_encoding="application/json", app_id="bench", delivery_mode=2)
        channel.basic_publish(ALERTS, f"sensor_value.logged_{endpoint}", json.dumps(alert).encode(), properties)


def main(address: str, endpoints: str, interval: str) -> None:
    """Send alerts until the process gets SIGTERM."""
    host, _, port = address.rpartition(":")
    ticker = Ticker(int(endpoints), float(interval))
    connection: Any = pika.SelectConnection(
        pika.ConnectionParameters(host, int(port)),
        on_open_callback=lambda connection: connection.channel(on_open_callback=ticker.opened),
        on_close_callback=lambda *_: connection.ioloop.stop(),
    )
    connection.ioloop.start()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(*sys.argv[1:])

"""A client that asks again and again, to find out when somebody answers."""

from __future__ import annotations

import json
import time
from typing import Any

import pika.exceptions

from tests.faults.sending import GET
from tests.mesh.raw import RawClient

# How long one question waits before the next is asked, s.
_PAUSE = 0.02


class Asker:
    """Gets over a connection of its own.

    Args:
        address: HOST:PORT of the broker itself, so that no fault of a proxy is between.
    """

    def __init__(self, address: str) -> None:
        self._raw = RawClient(address)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.connection.close()

    def seconds_until_answered(self, target: str, patience: float) -> float:
        """Ask for a value until it is got, and return how long that took, s.

        A question may get lost with the queue that it reached; so the next ones do not wait for its answer.
        """
        began = time.monotonic()
        asked = set()
        while time.monotonic() - began < patience:
            asked.add(self._raw.publish(target, GET))
            reply = self._raw.next(timeout=_PAUSE)
            if reply is not None and reply.properties.correlation_id in asked and _code(reply.body) == 0:
                return time.monotonic() - began
        raise AssertionError(f"{target} has not answered for {patience:g} s")

    def is_bound(self, queue: str) -> bool:
        """Tell whether a queue is there, whoever it belongs to."""
        channel = self._raw.connection.channel()
        try:
            channel.queue_declare(queue, passive=True)
        except pika.exceptions.ChannelClosedByBroker as err:
            assert err.reply_code in (404, 405), err
            return bool(err.reply_code == 405)  # another's, which is a queue that is there
        channel.close()
        return True


def _code(body: bytes) -> Any:
    return json.loads(body)["retcode"]

"""A flood of malformed messages against a live service, and the account of what became of them."""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, deque
from typing import Any

from pika import frame, spec

from tests.bench.wire import REQUESTS, Wire
from tests.fuzzing.thrown import GOOD, SERVICE, Thrower, Thrown

BATCH = 200
# How many batches may be on their way: the service shall have something to do while the next one is made.
AHEAD = 2
SAMPLES = 300
# How long the last answers, and the service's own account, may take, s.
PATIENCE = 30.0
_COUNTERS = ("requests_ok", "requests_failed", "requests_expired", "requests_refused", "messages_undecodable")
_CHANNEL = 1
_FRAME_ROOM = 131_072 - 8
_GET = b'{"msgtype": 3, "msgop": 1, "payload": {"values": []}}'


class Flood(Wire):
    """Throws messages at a service, with a good request behind each batch.

    Args:
        address: HOST:PORT of the broker, whose user guest it is.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.kinds: Counter[str] = Counter()
        self._good_ones: deque[str] = deque()
        self._number = 0
        # What the service must count, and how many answers must come here, and have.
        self._to_count = self._to_come = self._came = 0
        self._before: dict[str, int] = {}

    @property
    def sent(self) -> int:
        """How many malformed messages were sent since `begin`."""
        return sum(self.kinds.values())

    def thrower(self, seed: str) -> Thrower:
        """Return what makes messages whose answers come here."""
        return Thrower(seed, self._queue)

    def begin(self) -> None:
        """Count from now on."""
        self._before = self._account()
        self.kinds.clear()
        self._to_count = 1  # the question for that account: the service counts it when it has made its answer

    def throw(self, messages: list[Thrown]) -> None:
        """Send messages, and a good request behind them; each of these must be answered well.

        Raises:
            AssertionError: one is not.
            OSError: nothing came for too long, or the broker closed the connection.
        """
        self.send(b"".join(map(frames_of, messages)))
        self.kinds.update([message.kind for message in messages])
        self._to_come += sum(message.answered for message in messages)
        self._to_count += len(messages) + sum(message.looped for message in messages)
        self._good_ones.append(self._get(GOOD))
        if len(self._good_ones) > AHEAD:
            self._next_good()

    def throw_many(self, thrower: Thrower, count: int) -> None:
        """Throw so many messages."""
        for first in range(0, count, BATCH):
            self.throw([thrower.next() for _ in range(min(BATCH, count - first))])

    def settle(self) -> dict[str, int]:
        """Wait until all is answered and counted that must be, and return what was counted since `begin`.

        Raises:
            TimeoutError: it is not; the text says what is missing.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            expected = self._to_count  # this question itself is counted when its answer is made
            found = {name: count - self._before[name] for name, count in self._account().items()}
            total = sum(found[name] for name in _COUNTERS)
            if (total, self._came) == (expected, self._to_come):
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{self._came} answers came where {self._to_come} were expected, and the service counted {total}"
                    f" messages where {expected} were expected: {found}"
                )

    def median_time(self) -> float:
        """Return how long a good request takes now, s: the median of SAMPLES."""
        times = []
        for _ in range(SAMPLES):
            began = time.perf_counter()
            self._reply(self._get(GOOD))
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    def _account(self) -> dict[str, int]:
        while self._good_ones:
            self._next_good()
        payload = self._reply(self._get(f"{SERVICE}.statistics"))["payload"]
        return {name: payload[name] for name in (*_COUNTERS, "reconnects")}

    def _get(self, target: str) -> str:
        """Send a good request and return its correlation id."""
        self._number += 1
        correlation_id = f"good {self._number}"
        properties = spec.BasicProperties(
            content_encoding="application/json", correlation_id=correlation_id, reply_to=self._queue
        )
        self.send(frames_of(Thrown("good", target, properties, _GET)))
        self._to_count += 1
        return correlation_id

    def _next_good(self) -> None:
        reply = self._reply(self._good_ones.popleft())
        assert reply["retcode"] == 0 and reply["payload"]["value_raw"] == "0.75", reply

    def _reply(self, correlation_id: str) -> dict[str, Any]:
        """Return the reply to a good request; the others that come before it are counted."""
        for message in self.messages():
            if message.correlation_id == correlation_id:
                reply: dict[str, Any] = json.loads(message.body)
                return reply
            self._came += 1
        raise AssertionError("there is no end of messages")

    def _open(self) -> None:
        super()._open()
        self._bind(REQUESTS, self._queue)
        self._consume()


def frames_of(message: Thrown) -> bytes:
    """Return the frames that publish a message."""
    publish = spec.Basic.Publish(exchange=REQUESTS, routing_key=message.routing_key)
    body = message.body
    pieces = [body[at : at + _FRAME_ROOM] for at in range(0, len(body), _FRAME_ROOM)]
    frames: list[Any] = [
        frame.Method(_CHANNEL, publish),
        frame.Header(_CHANNEL, len(body), message.properties),
        *(frame.Body(_CHANNEL, piece) for piece in pieces),
    ]
    return b"".join([each.marshal() for each in frames])

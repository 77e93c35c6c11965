"""The load generator: requests over a plain socket with pika's frame codec, so that the client costs next to nothing.

It asks what the product's client asks of the broker: mandatory, publisher confirms, expiration, the header `deadline`,
one exclusive reply queue. With many in flight it decodes not even the frames around a reply; that each reply says that
all went well is looked at all the same.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from pika import spec

from tests.bench.wire import ALERTS, PATIENCE, REQUESTS, Returned, Wire, as_json, bind_frames, publish_frames

# The frames of a whole round are made before it begins, and a busy machine may take its time.
TIMEOUT_MS = 60_000
IN_FLIGHT = 1_000
SENDER = {
    "username": "bench",
    "exe": "/usr/bin/bench",
    "package": "dripline",
    "hostname": "localhost",
    "version": "0.0.0",
    "commit": "unknown",
}
_ALERTS_AT_A_TIME = 100
_HEAD, _METHOD_ID, _FRAME_END = struct.Struct(">BHI"), struct.Struct(">HH"), 1
_BODY_SIZE, _BEFORE_BODY_SIZE = struct.Struct(">Q"), 4  # in the payload of a header frame
_RETURN = divmod(spec.Basic.Return.INDEX, 1 << 16)
_OP_SET, _OP_GET = 0, 1
_TIMESTAMP = "2026-01-01T00:00:00Z"
_ALL_WENT_WELL = b'"retcode": 0'


def reply_body(payload: dict[str, object]) -> bytes:
    """Return what a bare echo answers: as long as what the product says of the same value."""
    return as_json(
        {
            "msgtype": 2,
            "timestamp": _TIMESTAMP,
            "sender_info": {**SENDER, "service_name": "my_store"},
            "retcode": 0,
            "return_message": "",
            "payload": payload,
        }
    )


REPLY_BODY = reply_body({"value_raw": 0.75, "value_cal": 1.5})


class Request(NamedTuple):
    """What is asked of a target.

    Args:
        body: of the message.
        good: what a good reply has in it.
        exchange: where it is published.
    """

    body: bytes
    good: bytes = _ALL_WENT_WELL
    exchange: str = REQUESTS


def _request(operation: int, values: list[object]) -> Request:
    return Request(
        as_json(
            {
                "msgtype": 3,
                "timestamp": _TIMESTAMP,
                "sender_info": SENDER,
                "msgop": operation,
                "payload": {"values": values},
            }
        )
    )


GET, SET = _request(_OP_GET, []), _request(_OP_SET, [4.5])


class LoadGenerator(Wire):
    """A connection that sends requests and reads replies."""

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        super().__init__(address, patience)
        self._number = 0
        self._missing = 0  # bytes of a reply whose frames have not all come
        self._is_good = False

    def ask(self, target: str, request: Request = GET) -> bytes:
        """Send one request and return the body of its reply.

        Raises:
            Returned: nobody is bound for the target.
            RuntimeError: the reply is not a good one.
        """
        correlation_id, frames = self.request_frames(target, request)
        self.send(frames)
        body = next(message.body for message in self.messages() if message.correlation_id == correlation_id)
        if request.good not in body:
            raise RuntimeError(f"{target} answered {body[:500]!r}")
        return body

    def times(self, target: str, count: int, request: Request = GET) -> list[float]:
        """Return how long each of so many requests took (s), one in flight at a time."""
        samples = []
        for _ in range(count):
            begin = time.perf_counter()
            self.ask(target, request)
            samples.append(time.perf_counter() - begin)
        return samples

    def answers(self, target: str) -> bool:
        """Return whether somebody answers a get for a target; one that is bound and not yet read does not."""
        try:
            self.ask(target)
        except (Returned, TimeoutError):
            return False
        return True

    def rate(
        self, targets: str | Sequence[str], count: int, request: Request = GET, in_flight: int = IN_FLIGHT
    ) -> float:
        """Return how many requests a second are answered of so many.

        Args:
            targets: whom to ask; several take turns.
            count: how many requests.
            request: what to ask.
            in_flight: how many are on their way at a time.

        Raises:
            Returned: nobody is bound for a target.
            RuntimeError: one of the replies is not a good one.
        """
        targets = [targets] if isinstance(targets, str) else targets
        requests = [self.request_frames(targets[number % len(targets)], request)[1] for number in range(count)]
        begin = time.perf_counter()
        sent = answered = 0
        while answered < count:
            more = requests[sent : answered + in_flight]
            if more:
                self.send(b"".join(more))
                sent += len(more)
            answered += self.count_replies(request.good)
        return count / (time.perf_counter() - begin)

    def binding_time(self, count: int) -> float:
        """Return how long so many bindings of one queue take (s): the broker answers only the last of them.

        It is for a connection that has sent no requests. The bindings are gone when it returns.
        """
        queue = f"bench-bindings-{uuid4()}"
        self._ask(spec.Queue.Declare(queue=queue, exclusive=True, auto_delete=True), spec.Queue.DeclareOk)
        frames = bind_frames(queue, REQUESTS, [f"bench_{number}.#" for number in range(count)])
        begin = time.perf_counter()
        self.send(frames)
        self._expect(spec.Queue.BindOk)
        elapsed = time.perf_counter() - begin
        self._ask(spec.Queue.Delete(queue=queue), spec.Queue.DeleteOk)
        return elapsed

    def publish_alerts(self, routing_key: str, body: bytes, count: int) -> None:
        """Send so many alerts as fast as the broker takes them, on a connection that does nothing else."""
        properties = spec.BasicProperties(
            content_encoding="application/json", app_id="dripline.core.Service", delivery_mode=2, message_id="0" * 36
        )
        alert = publish_frames(ALERTS, routing_key, body, properties)
        while count > 0:
            self.send(alert * min(count, _ALERTS_AT_A_TIME))
            count -= _ALERTS_AT_A_TIME
            while select.select([self._socket], [], [], 0)[0]:  # confirms, which nobody here reads
                self._receive()

    def request_frames(self, target: str, request: Request) -> tuple[str, bytes]:
        """Return the correlation_id of a new request and its frames."""
        self._number += 1
        correlation_id = f"{self._number:036d}"
        properties = spec.BasicProperties(
            content_encoding="application/json",
            headers={"deadline": int(time.time() * 1000) + TIMEOUT_MS},
            correlation_id=correlation_id,
            reply_to=self._queue,
            expiration=str(TIMEOUT_MS),
            app_id="dripline.core.Service",
        )
        return correlation_id, publish_frames(request.exchange, target, request.body, properties, mandatory=True)

    def count_replies(self, good: bytes) -> int:
        """Wait for bytes and return how many replies end in them."""
        self._receive()
        buffer, position, found = self._buffer, 0, 0
        while len(buffer) - position >= _HEAD.size:
            kind, _, size = _HEAD.unpack_from(buffer, position)
            following = position + _HEAD.size + size + _FRAME_END
            if following > len(buffer):
                break
            if kind == spec.FRAME_METHOD and _METHOD_ID.unpack_from(buffer, position + _HEAD.size) == _RETURN:
                raise Returned
            if kind == spec.FRAME_HEADER:
                self._missing = _BODY_SIZE.unpack_from(buffer, position + _HEAD.size + _BEFORE_BODY_SIZE)[0]
                self._is_good = False
            elif kind == spec.FRAME_BODY:
                self._missing -= size
                self._is_good = self._is_good or buffer.find(good, position, following) >= 0
                if not (self._missing or self._is_good):
                    raise RuntimeError(f"a reply was {buffer[position:following][:500]!r}")
                found += not self._missing
            position = following
        self._buffer = buffer[position:]
        return found

    def _open(self) -> None:
        super()._open()
        self._bind(REQUESTS, self._queue)
        self._consume()

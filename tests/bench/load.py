"""The load generator: requests over a plain socket with pika's frame codec, so that the client costs next to nothing.

It asks what the product's client asks of the broker: mandatory, publisher confirms, expiration, the header `deadline`,
one exclusive reply queue. It decodes no reply, and with many in flight not even the frames around it.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from uuid import uuid4

from pika import frame, spec

EXCHANGE = "requests"
ALERTS = "alerts"
TIMEOUT_MS = 10_000
IN_FLIGHT = 1_000
_ALERTS_AT_A_TIME = 100
_BINDING_PATIENCE = 120.0
_CHANNEL = 1
_HEAD, _METHOD_ID, _FRAME_END = struct.Struct(">BHI"), struct.Struct(">HH"), 1
_RETURN = divmod(spec.Basic.Return.INDEX, 1 << 16)
_OP_GET = 1
_REQUEST = {
    "msgtype": 3,
    "timestamp": "2026-01-01T00:00:00Z",
    "sender_info": {
        "username": "bench",
        "exe": "/usr/bin/bench",
        "package": "dripline",
        "hostname": "localhost",
        "version": "0.0.0",
        "commit": "unknown",
    },
    "msgop": _OP_GET,
    "payload": {"values": []},
}
REQUEST_BODY = json.dumps(_REQUEST).encode("ascii")


class Returned(Exception):
    """Nobody is bound for a request's target."""


class LoadGenerator:
    """A connection that sends gets and reads replies.

    Args:
        address: HOST:PORT of the broker, whose user guest it is.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._buffer = b""
        self._queue = f"request_reply-bench-{uuid4()}"
        self._number = 0

    def __enter__(self) -> LoadGenerator:
        host, _, port = self.address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=TIMEOUT_MS / 1000)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def get(self, target: str) -> bytes:
        """Send one get and return the body of its reply.

        Raises:
            Returned: nobody is bound for the target.
        """
        correlation_id = self.send(target)
        return next(body for answered, body in self.replies() if answered == correlation_id)

    def times(self, target: str, count: int) -> list[float]:
        """Return how long each of so many gets took (s), one in flight at a time."""
        samples = []
        for _ in range(count):
            begin = time.perf_counter()
            self.get(target)
            samples.append(time.perf_counter() - begin)
        return samples

    def wait_for(self, target: str, patience: float) -> None:
        """Wait until somebody answers for a target, `patience` s at most."""
        deadline = time.monotonic() + patience
        while True:
            try:
                self.get(target)
            except Returned:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def send(self, target: str) -> str:
        """Send one get and return its correlation_id."""
        correlation_id, request = self._request(target)
        self._socket.sendall(request)
        return correlation_id

    def rate(self, target: str, count: int) -> float:
        """Return how many gets a second are answered of so many, IN_FLIGHT of them at a time.

        Raises:
            Returned: nobody is bound for the target.
        """
        requests = [self._request(target)[1] for _ in range(count)]
        begin = time.perf_counter()
        sent = answered = 0
        while answered < count:
            more = requests[sent : answered + IN_FLIGHT]
            if more:
                self._socket.sendall(b"".join(more))
                sent += len(more)
            answered += self._count_messages()
        return count / (time.perf_counter() - begin)

    def binding_time(self, count: int) -> float:
        """Return how long so many bindings of one queue take (s): the broker answers only the last of them.

        It is for a connection that has sent no gets. The bindings are gone when it returns.
        """
        queue = f"bench-bindings-{uuid4()}"
        self._socket.settimeout(_BINDING_PATIENCE)
        self._ask(spec.Queue.Declare(queue=queue, exclusive=True, auto_delete=True), spec.Queue.DeclareOk)
        binds = [
            spec.Queue.Bind(queue=queue, exchange=EXCHANGE, routing_key=f"bench_{number}.#", nowait=number < count)
            for number in range(1, count + 1)
        ]
        frames = b"".join(frame.Method(_CHANNEL, bind).marshal() for bind in binds)
        begin = time.perf_counter()
        self._socket.sendall(frames)
        self._expect(spec.Queue.BindOk)
        elapsed = time.perf_counter() - begin
        self._ask(spec.Queue.Delete(queue=queue), spec.Queue.DeleteOk)
        return elapsed

    def publish_alerts(self, routing_key: str, body: bytes, count: int) -> None:
        """Send so many alerts as fast as the broker takes them, on a connection that does nothing else."""
        self._ask(spec.Exchange.Declare(exchange=ALERTS, type="topic"), spec.Exchange.DeclareOk)
        properties = spec.BasicProperties(
            content_encoding="application/json", app_id="dripline.core.Service", delivery_mode=2, message_id="0" * 36
        )
        alert = (
            frame.Method(_CHANNEL, spec.Basic.Publish(exchange=ALERTS, routing_key=routing_key)).marshal()
            + frame.Header(_CHANNEL, len(body), properties).marshal()
            + frame.Body(_CHANNEL, body).marshal()
        )
        while count > 0:
            self._socket.sendall(alert * min(count, _ALERTS_AT_A_TIME))
            count -= _ALERTS_AT_A_TIME
            while select.select([self._socket], [], [], 0)[0]:  # confirms, which nobody here reads
                self._receive()

    def _request(self, target: str) -> tuple[str, bytes]:
        """Return the correlation_id of a new get and its frames."""
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
        publish = spec.Basic.Publish(exchange=EXCHANGE, routing_key=target, mandatory=True)
        return correlation_id, (
            frame.Method(_CHANNEL, publish).marshal()
            + frame.Header(_CHANNEL, len(REQUEST_BODY), properties).marshal()
            + frame.Body(_CHANNEL, REQUEST_BODY).marshal()
        )

    def replies(self) -> Iterator[tuple[str, bytes]]:
        """Yield correlation_id and body of each message that comes, without end; confirms are read and left at that.

        Raises:
            Returned: a request came back.
        """
        returned = False
        while True:
            received = self._frame()
            if isinstance(received, frame.Method):
                returned = isinstance(received.method, spec.Basic.Return)
            elif isinstance(received, frame.Header):
                header, chunks, missing = received, [], received.body_size
                while missing:
                    chunks.append(self._frame().fragment)
                    missing -= len(chunks[-1])
                if returned:
                    raise Returned
                yield header.properties.correlation_id, b"".join(chunks)

    def _open(self) -> None:
        self._socket.sendall(frame.ProtocolHeader().marshal())
        start = self._expect(spec.Connection.Start)
        self.broker_product = str(start.server_properties.get("product", "unknown"))
        self._send(spec.Connection.StartOk({}, "PLAIN", b"\0guest\0guest", "en_US"), channel=0)
        tune = self._expect(spec.Connection.Tune)
        # Without heartbeats: nobody here would send them while a benchmark looks elsewhere.
        self._send(spec.Connection.TuneOk(tune.channel_max, tune.frame_max, 0), channel=0)
        self._ask(spec.Connection.Open("/"), spec.Connection.OpenOk, channel=0)
        self._ask(spec.Channel.Open(), spec.Channel.OpenOk)
        self._ask(spec.Confirm.Select(), spec.Confirm.SelectOk)
        self._ask(spec.Exchange.Declare(exchange=EXCHANGE, type="topic"), spec.Exchange.DeclareOk)
        self._ask(spec.Queue.Declare(queue=self._queue, exclusive=True, auto_delete=True), spec.Queue.DeclareOk)
        self._ask(spec.Queue.Bind(queue=self._queue, exchange=EXCHANGE, routing_key=self._queue), spec.Queue.BindOk)
        self._ask(spec.Basic.Consume(queue=self._queue, no_ack=True), spec.Basic.ConsumeOk)

    def _ask(self, method: Any, answer: type, channel: int = _CHANNEL) -> None:
        self._send(method, channel)
        self._expect(answer)

    def _send(self, method: Any, channel: int) -> None:
        self._socket.sendall(frame.Method(channel, method).marshal())

    def _expect(self, kind: type) -> Any:
        received = self._frame()
        if isinstance(received, frame.Method) and isinstance(received.method, kind):
            return received.method
        raise ConnectionError(f"the broker sent {received!r} where {kind.__name__} was expected")

    def _frame(self) -> Any:
        while True:
            consumed, received = frame.decode_frame(self._buffer)
            if received is not None:
                self._buffer = self._buffer[consumed:]
                return received
            self._receive()

    def _receive(self) -> None:
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionError("the broker closed the connection")
        self._buffer += data

    def _count_messages(self) -> int:
        """Wait for bytes and return how many messages end in them."""
        self._receive()
        buffer, position, found = self._buffer, 0, 0
        while len(buffer) - position >= _HEAD.size:
            kind, _, size = _HEAD.unpack_from(buffer, position)
            following = position + _HEAD.size + size + _FRAME_END
            if following > len(buffer):
                break
            if kind == spec.FRAME_METHOD and _METHOD_ID.unpack_from(buffer, position + _HEAD.size) == _RETURN:
                raise Returned
            found += kind == spec.FRAME_BODY
            position = following
        self._buffer = buffer[position:]
        return found

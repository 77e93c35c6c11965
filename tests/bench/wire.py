"""AMQP 0-9-1 over a plain socket with pika's frame codec: what costs next to nothing beside whatever is measured."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from pika import frame, spec

REQUESTS, ALERTS = "requests", "alerts"
PATIENCE = 10.0  # s
_CHANNEL = 1
_BYTES_AT_A_TIME = 262_144
_Kind = TypeVar("_Kind", bound="Wire")


class Returned(Exception):
    """Nobody is bound for a request's target."""


class Message(NamedTuple):
    """A message that came: its correlation_id, the key it was sent with, and its body."""

    correlation_id: str
    routing_key: str
    body: bytes


class Wire:
    """A connection with one channel in confirm mode, and one exclusive queue.

    Args:
        address: HOST:PORT of the broker, whose user guest it is.
        patience: how long anything may take that is waited for (s).
    """

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        self.address = address
        self._patience = patience
        self.broker_product = self.broker_version = ""
        self._buffer = b""
        self._queue = f"request_reply-bench-{uuid4()}"

    def __enter__(self: _Kind) -> _Kind:
        host, _, port = self.address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=self._patience)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """Return the socket's number, for a selector."""
        return self._socket.fileno()

    def send(self, frames: bytes) -> None:
        """Send frames as they are."""
        self._socket.sendall(frames)

    def messages(self) -> Iterator[Message]:
        """Yield each message that comes, without end; confirms are read and left at that.

        Raises:
            Returned: a request came back.
            TimeoutError: nothing has come for as long as the patience.
        """
        method: Any = None
        while True:
            received = self._frame()
            if isinstance(received, frame.Method):
                method = received.method
            elif isinstance(received, frame.Header):
                chunks, missing = [], received.body_size
                while missing:
                    chunks.append(self._frame().fragment)
                    missing -= len(chunks[-1])
                if isinstance(method, spec.Basic.Return):
                    raise Returned(method.routing_key)
                yield Message(received.properties.correlation_id, method.routing_key, b"".join(chunks))

    def _open(self) -> None:
        self._socket.sendall(frame.ProtocolHeader().marshal())
        start = self._expect(spec.Connection.Start)
        self.broker_product, self.broker_version = (
            str(start.server_properties.get(name, "unknown")) for name in ("product", "version")
        )
        self._send(spec.Connection.StartOk({}, "PLAIN", b"\0guest\0guest", "en_US"), channel=0)
        tune = self._expect(spec.Connection.Tune)
        # Without heartbeats: nobody here would send them while a benchmark looks elsewhere.
        self._send(spec.Connection.TuneOk(tune.channel_max, tune.frame_max, 0), channel=0)
        self._ask(spec.Connection.Open("/"), spec.Connection.OpenOk, channel=0)
        self._ask(spec.Channel.Open(), spec.Channel.OpenOk)
        self._ask(spec.Confirm.Select(), spec.Confirm.SelectOk)
        for exchange in (REQUESTS, ALERTS):
            self._ask(spec.Exchange.Declare(exchange=exchange, type="topic"), spec.Exchange.DeclareOk)
        self._ask(spec.Queue.Declare(queue=self._queue, exclusive=True, auto_delete=True), spec.Queue.DeclareOk)

    def _bind(self, exchange: str, key: str) -> None:
        self._ask(spec.Queue.Bind(queue=self._queue, exchange=exchange, routing_key=key), spec.Queue.BindOk)

    def _consume(self) -> None:
        self._ask(spec.Basic.Consume(queue=self._queue, no_ack=True), spec.Basic.ConsumeOk)

    def _ask(self, method: Any, answer: type, channel: int = _CHANNEL) -> Any:
        self._send(method, channel)
        return self._expect(answer)

    def _send(self, method: Any, channel: int = _CHANNEL) -> None:
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
        data = self._socket.recv(_BYTES_AT_A_TIME)
        if not data:
            raise ConnectionError("the broker closed the connection")
        self._buffer += data


class Ear(Wire):
    """A queue that gets every alert: it counts them, or gives them to whoever asks."""

    def _open(self) -> None:
        super()._open()
        self._bind(ALERTS, "#")

    def count(self) -> int:
        """Return how many alerts are in the queue; not after `alerts`."""
        return int(self._ask(spec.Queue.Declare(queue=self._queue, passive=True), spec.Queue.DeclareOk).message_count)

    def alerts(self) -> Iterator[Message]:
        """Yield each alert from now on."""
        self._consume()
        return self.messages()


def publish_frames(
    exchange: str, routing_key: str, body: bytes, properties: spec.BasicProperties, *, mandatory: bool = False
) -> bytes:
    """Return the frames that publish a message."""
    publish = spec.Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=mandatory)
    return bytes(
        frame.Method(_CHANNEL, publish).marshal()
        + frame.Header(_CHANNEL, len(body), properties).marshal()
        + frame.Body(_CHANNEL, body).marshal()
    )


def bind_frames(queue: str, exchange: str, keys: list[str]) -> bytes:
    """Return the frames that bind a queue to keys; the broker answers only the last."""
    binds = [
        spec.Queue.Bind(queue=queue, exchange=exchange, routing_key=key, nowait=number < len(keys))
        for number, key in enumerate(keys, 1)
    ]
    return b"".join(frame.Method(_CHANNEL, bind).marshal() for bind in binds)


def as_json(message: object) -> bytes:
    """Return a message's body."""
    return json.dumps(message).encode("ascii")

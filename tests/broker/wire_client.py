"""A client made of a socket and pika's frame codec: it says what it is told to, and shows what came back."""

from __future__ import annotations

import re
import socket
from collections import deque
from types import TracebackType
from typing import Any

from pika import frame, spec

PATIENCE = 5.0
CAPABILITIES = {
    "publisher_confirms": True,
    "basic.nack": True,
    "consumer_cancel_notify": True,
    "connection.blocked": True,
    "authentication_failure_close": True,
}
_UNASKED = (spec.Basic.Deliver, spec.Basic.Return, spec.Basic.Ack, spec.Basic.Nack, spec.Basic.Cancel)
_GIVEN_NAMES = re.compile(r"amq\.(gen|ctag)-[\w-]{22}")


class WireClient:
    """A connection whose channel 1 is open.

    Args:
        address: HOST:PORT of the broker.
        frame_max: the largest frame to agree on, in bytes.
        heartbeat: interval to agree on, s.
        credentials: user and password.
        capabilities: what the client says it understands.
    """

    def __init__(
        self,
        address: str,
        *,
        frame_max: int = 131_072,
        heartbeat: int = 0,
        credentials: tuple[str, str] = ("guest", "guest"),
        capabilities: dict[str, bool] | None = None,
    ) -> None:
        self.socket = connect(address)
        self._buffer = b""
        self._kept: deque[Any] = deque()
        self._capabilities = CAPABILITIES if capabilities is None else capabilities
        self._response = "\0".join(("", *credentials))
        self._tune = (frame_max, heartbeat)

    def __enter__(self) -> WireClient:
        try:
            self.log_in()
            self.say(spec.Connection.TuneOk(2047, *self._tune), channel=0)
            self.ask(spec.Connection.Open("/"), channel=0)
            self.ask(spec.Channel.Open())
        except BaseException:
            self.socket.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()

    def log_in(self) -> Any:
        """Begin the handshake and return the broker's answer to user and password."""
        self.send(frame.ProtocolHeader().marshal())
        self.read()
        properties = {"capabilities": self._capabilities}
        return self.ask(spec.Connection.StartOk(properties, "PLAIN", self._response, "en_US"), channel=0)

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def say(self, *methods: Any, channel: int = 1) -> None:
        """Send methods."""
        self.send(b"".join(frame.Method(channel, method).marshal() for method in methods))

    def ask(self, method: Any, channel: int = 1) -> Any:
        """Send a method and return the answer; what comes before it of itself is kept for `read`."""
        self.say(method, channel=channel)
        while True:
            received = self._next()
            if isinstance(received, frame.Method) and not isinstance(received.method, _UNASKED):
                return received
            self._kept.append(received)

    def publish(
        self, exchange: str, routing_key: str, body: bytes | str = b"", *, mandatory: bool = False, **properties: Any
    ) -> None:
        """Send a message."""
        body = body.encode() if isinstance(body, str) else body
        self.send(publish_frames(exchange, routing_key, body, mandatory, **properties))

    def read(self) -> Any:
        """Return the next frame that is no heartbeat.

        Raises:
            EOFError: the broker closed the connection.
            TimeoutError: none came.
        """
        return self._kept.popleft() if self._kept else self._next()

    def _next(self) -> Any:
        while True:
            size, received = frame.decode_frame(self._buffer)
            self._buffer = self._buffer[size:]
            if received is not None and not isinstance(received, frame.Heartbeat):
                return received
            if received is None:
                self._receive()

    def read_until(self, kind: type) -> list[Any]:
        """Return all frames up to the first method of a kind."""
        frames = [self.read()]
        while not (isinstance(frames[-1], frame.Method) and isinstance(frames[-1].method, kind)):
            frames.append(self.read())
        return frames

    def message(self) -> tuple[Any, Any, bytes]:
        """Return the next delivery or return: method, properties and body.

        Raises:
            AssertionError: something else came.
        """
        method, header, body = self.read(), self.read(), b""
        assert isinstance(header, frame.Header), shown(method)
        while len(body) < header.body_size:
            body += self.read().fragment
        return method.method, header.properties, body

    def say_hello(self) -> None:
        """Send a message to ourselves and read it.

        Raises:
            AssertionError: another came.
        """
        queue = self.ask(spec.Queue.Declare(exclusive=True, auto_delete=True)).method.queue
        self.ask(spec.Basic.Consume(queue=queue, consumer_tag=queue, no_ack=True))
        self.publish("", queue, "hello")
        assert self.message()[2] == b"hello"
        self.ask(spec.Basic.Cancel(queue))

    def is_closed_by_broker(self) -> bool:
        """Return whether the broker closes the connection, whatever it may send before."""
        try:
            while True:
                self._receive()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data


def connect(address: str) -> socket.socket:
    """Return a socket that is connected to HOST:PORT."""
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def publish_frames(exchange: str, routing_key: str, body: bytes, mandatory: bool = False, **properties: Any) -> bytes:
    """Return the bytes of a message on channel 1."""
    method = spec.Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=mandatory)
    frames = [frame.Method(1, method), frame.Header(1, len(body), spec.BasicProperties(**properties))]
    frames += [frame.Body(1, body[start : start + 100_000]) for start in range(0, len(body), 100_000)]
    return b"".join(one.marshal() for one in frames)


def shown(received: Any) -> str:
    """Return a frame as one line; names that a broker made are made equal."""
    if isinstance(received, frame.Method):
        fields = " ".join(f"{name}={value!r}" for name, value in vars(received.method).items())
        return _GIVEN_NAMES.sub(r"amq.\1-NAME", f"{received.channel_number} {received.method.NAME} {fields}".rstrip())
    if isinstance(received, frame.Header):
        fields = " ".join(f"{name}={value!r}" for name, value in vars(received.properties).items() if value is not None)
        return f"{received.channel_number} header {received.body_size} {fields}".rstrip()
    if isinstance(received, frame.Body):
        return f"{received.channel_number} body {received.fragment!r}"
    return repr(received)

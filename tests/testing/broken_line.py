"""The two sides of a FaultProxy as plain sockets, and what can be seen on them."""

import select
import socket
from contextlib import ExitStack

from dragonfly.testing import FaultProxy

PATIENCE = 10.0
SILENCE = 0.2
MEGABYTE = 1_000_000


class Line:
    """A proxy, the listener that stands for the broker, and the sockets on both sides."""

    def __init__(self, opened: ExitStack) -> None:
        self.opened = opened
        self.listen(0)
        self.port = self.listener.getsockname()[1]
        self.proxy = opened.enter_context(FaultProxy(f"127.0.0.1:{self.port}"))

    def listen(self, port: int) -> None:
        """Let the broker be there, on this port."""
        self.listener = self.opened.enter_context(socket.create_server(("127.0.0.1", port), backlog=128))
        self.listener.settimeout(PATIENCE)

    def dial(self) -> socket.socket:
        """Return a program's new connection."""
        connection = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=PATIENCE)
        return self.opened.enter_context(connection)

    def accepted(self) -> socket.socket:
        """Return the broker's next connection."""
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE)
        return self.opened.enter_context(connection)

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """Return both ends of a new connection: the program's and the broker's."""
        return self.dial(), self.accepted()


def is_silent(*ends: socket.socket) -> bool:
    """Return whether these receive nothing for a while: no byte, no end, no reset."""
    return select.select(ends, [], [], SILENCE)[0] == []


def received(end: socket.socket, count: int) -> bytes:
    """Return this many bytes, or those before the end."""
    data = bytearray()
    while len(data) < count:
        part = end.recv(min(count - len(data), 1 << 16))
        if not part:
            break
        data += part
    return bytes(data)


def carries(source: socket.socket, sink: socket.socket, data: bytes = b"hello") -> bool:
    source.sendall(data)
    return received(sink, len(data)) == data


def was_reset(end: socket.socket) -> bool:
    try:
        end.recv(1)
    except ConnectionResetError:
        return True
    return False


def filled(end: socket.socket) -> int:
    """Send until nothing more is taken for a while; return how many bytes were."""
    count = 0
    end.setblocking(False)
    while select.select([], [end], [], SILENCE)[1]:
        count += end.send(bytes(1 << 16))
        assert count < 100 * MEGABYTE, "no back pressure"
    end.settimeout(PATIENCE)
    return count

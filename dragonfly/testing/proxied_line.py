"""What a FaultProxy carries: connections, each of two pipes, on a line that can be stalled, late or slow.

1. A connection is two pipes, one a direction. A pipe reads only what it has room for: where it is stalled or throttled,
   or its sink does not read, the sender feels it.
2. The end of a stream is carried as its bytes are: behind them, as late as they, and not at all on a stalled line.
3. On a stalled line nobody is connected, since TCP needs both directions for it: a program that was accepted meanwhile
   is connected to the broker when the stall ends.

No socket here is waited for: each is tried when it may be ready, and says which events to wait for.
"""

from __future__ import annotations

import errno
import math
import selectors
import socket
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

# A family of sockets, and an address in it.
Address = tuple[socket.AddressFamily, Any]
TO_BROKER, FROM_BROKER = "to_broker", "from_broker"
# What one read takes, and what a pipe holds at most, bytes.
_CHUNK, _CAPACITY = 1 << 16, 1 << 20
# A throttled pipe sends what it may send in this time at once, s.
_SLICE = 0.02
# At most so many reads go before the orderly end of a connection whose peer still sends.
_LAST_READS = 64


@dataclass
class Line:
    """How the line is now: the directions that are stalled, the delay (s), and the rate (bytes/s; 0 for any)."""

    stalled: set[str] = field(default_factory=set)
    delay: float = 0.0
    rate: float = 0.0


class Pipe:
    """One direction of a connection; `name` is TO_BROKER or FROM_BROKER."""

    def __init__(self, source: socket.socket, sink: socket.socket, name: str, line: Line) -> None:
        self._source, self._sink, self._name, self._line = source, sink, name, line
        self._queue: deque[tuple[float, bytes]] = deque()  # each part with the time when it is due; b"" is the end
        self._size = 0
        self._free_at = 0.0
        self._ended = False
        self._failed = False
        self.done = False  # the sink was told the end, or is gone
        self.broken = False  # the sink must be told that the source was reset
        self.blocked = False  # the sink takes nothing more for now

    @property
    def reads(self) -> bool:
        """Whether it takes bytes from its source."""
        return not (self._ended or self.done or self._name in self._line.stalled) and self._size < _CAPACITY

    @property
    def due(self) -> float:
        """When it next has something to send, s on the monotonic clock."""
        if self.done or not self._queue or self._name in self._line.stalled:
            return math.inf
        return max(self._queue[0][0], self._free_at)

    def hurry(self) -> None:
        """Let all that it holds be due now."""
        self._queue = deque((0.0, data) for _, data in self._queue)
        self._free_at = 0.0

    def pull(self, now: float) -> None:
        """Read once from the source."""
        if not self.reads:
            return
        try:
            data = self._source.recv(min(_CHUNK, _CAPACITY - self._size))
        except BlockingIOError:
            return
        except OSError:
            data, self._failed = b"", True
        self._ended = not data
        self._size += len(data)
        self._queue.append((now + self._line.delay, data))

    def push(self, now: float) -> None:
        """Send what is due, as far as the sink takes it."""
        self.blocked = False
        try:
            while self.due <= now:
                self._send(now, *self._queue.popleft())
        except BlockingIOError:
            self.blocked = True
        except OSError:  # the other pipe reads this socket, and will see its end
            self.done = True

    def _send(self, now: float, due: float, data: bytes) -> None:
        if not data:
            self.done, self.broken = True, self._failed
            if not self.broken:
                self._sink.shutdown(socket.SHUT_WR)
            return
        rate = self._line.rate
        sent = 0
        try:
            sent = self._sink.send(data[: max(1, int(rate * _SLICE))] if rate else data)
        finally:
            if sent < len(data):
                self._queue.appendleft((due, data[sent:]))
        self._size -= sent
        if rate:  # being late for one slice is made good, a longer pause is not
            self._free_at = max(self._free_at, now - _SLICE) + sent / rate


class Link:
    """A program's connection, and the one to the broker that belongs to it."""

    def __init__(self, program: socket.socket, line: Line, addresses: list[Address]) -> None:
        self.program = program
        self.broker: socket.socket | None = None
        self.pipes: list[Pipe] = []
        self._line = line
        self._addresses = iter(addresses)
        self._unreachable = False
        self.watched: dict[socket.socket, int] = {}  # the events that are waited for

    @property
    def due(self) -> float:
        """When one of its pipes next has something to send, s on the monotonic clock."""
        return min((pipe.due for pipe in self.pipes if not pipe.blocked), default=math.inf)

    @property
    def broken(self) -> bool:
        """Whether one side was reset, and the other must be."""
        return any(pipe.broken for pipe in self.pipes)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to carry."""
        return self._unreachable or self.broken or (bool(self.pipes) and all(pipe.done for pipe in self.pipes))

    def interests(self) -> dict[socket.socket, int]:
        """Return the events to wait for, of each socket."""
        if self.broker is None:
            return {}
        if not self.pipes:
            return {self.broker: selectors.EVENT_WRITE}
        there, back = self.pipes
        wanted = {
            self.program: selectors.EVENT_READ * there.reads | selectors.EVENT_WRITE * back.blocked,
            self.broker: selectors.EVENT_READ * back.reads | selectors.EVENT_WRITE * there.blocked,
        }
        return {end: events for end, events in wanted.items() if events}

    def hurry(self) -> None:
        """Let all that it holds be due now."""
        for pipe in self.pipes:
            pipe.hurry()

    def pump(self, now: float, fired: bool) -> None:
        """Take the next step; `fired`: one of its sockets has an event."""
        if self.broker is None and not self._line.stalled:
            self._dial()
        elif self.broker is not None and not self.pipes and fired:
            self._connected(self.broker)
        for pipe in self.pipes:
            if fired:
                pipe.pull(now)
            pipe.push(now)

    def _dial(self) -> None:
        for family, address in self._addresses:
            broker = socket.socket(family, socket.SOCK_STREAM)
            broker.setblocking(False)
            if broker.connect_ex(address) in (0, errno.EINPROGRESS):
                self.broker = broker
                return
            broker.close()
        self._unreachable = True

    def _connected(self, broker: socket.socket) -> None:
        if broker.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            broker.close()  # a selector forgets it although it is closed
            self.broker = None
            self._dial()
            return
        for end in (self.program, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pipes = [
            Pipe(self.program, broker, TO_BROKER, self._line),
            Pipe(broker, self.program, FROM_BROKER, self._line),
        ]


def hang_up(end: socket.socket, reset: bool) -> None:
    """Close one side of a connection: with a reset (RST), or in order (FIN)."""
    with suppress(OSError):  # it has nothing more to read, or its peer is gone already
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            end.shutdown(socket.SHUT_WR)
            # A socket that is closed with unread bytes resets its connection.
            for _ in range(_LAST_READS):
                if not end.recv(_CHUNK):
                    break
    end.close()

"""One client's socket, and the session at its other side."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable

from dragonfly.broker.memory import Memory
from dragonfly.broker.peer import Peer
from dragonfly.broker.session import Session

# How long a client has to read the last words of a connection that is over, s.
LAST_WORDS = 1.0


class Link:
    """A socket, a session, and what the socket has not taken yet.

    Args:
        client: the socket.
        name: how a log names the client.
        memory: where it counts what waits to be written.
        selector: tells when the socket can be read or written.
        make_session: makes the session of a peer.
        on_output: called when there is something to write.
    """

    def __init__(
        self,
        client: socket.socket,
        name: str,
        memory: Memory,
        selector: selectors.BaseSelector,
        make_session: Callable[[Peer], Session],
        on_output: Callable[[Link], None],
    ) -> None:
        self.socket = client
        self.peer = Peer(name, memory, lambda: on_output(self))
        self.session = make_session(self.peer)
        self.is_closed = False
        self._selector = selector
        self._watched = 0
        self._pending: bytes | memoryview = b""
        self._give_up: float | None = None
        self._watch()

    def read(self, buffer: bytearray, now: float) -> None:
        """Read once and let the session do what was said."""
        try:
            count = self.socket.recv_into(buffer)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count:
            self.session.receive(bytes(memoryview(buffer)[:count]), now)
        else:
            self.session.lost(now)

    def write(self, now: float) -> None:
        """Write once, and close the socket where the session is over and all is said."""
        if self.is_closed:
            return
        try:
            self._send(now)
        except OSError:
            self.session.lost(now)
            self.close()
            return
        if self.session.is_over and self._has_said_all(now):
            self.close()
        else:
            self._watch()

    def close(self) -> None:
        """Close the socket; twice is harmless."""
        self.is_closed = True
        if self._watched:
            self._selector.unregister(self.socket)
            self._watched = 0
        self.socket.close()
        self.peer.gone()

    def _send(self, now: float) -> None:
        batch = self._pending or self.peer.take()
        if not batch:
            return
        try:
            count = self.socket.send(batch)
        except BlockingIOError:
            self._pending = batch
            return
        # A view of the rest: a client that reads slowly makes no copies.
        self._pending = memoryview(batch)[count:] if count < len(batch) else b""
        self.session.sent(count, now)

    def _has_said_all(self, now: float) -> bool:
        if self._give_up is None:
            self._give_up = now + LAST_WORDS
        return now >= self._give_up or not (self._pending or self.peer.output)

    def _watch(self) -> None:
        """Have the selector look at what is of interest now."""
        wanted = selectors.EVENT_WRITE if self._pending or self.peer.output else 0
        if self.session.is_readable and not self.session.is_over:
            wanted |= selectors.EVENT_READ
        if wanted == self._watched:
            return
        if not wanted:
            self._selector.unregister(self.socket)
        elif not self._watched:
            self._selector.register(self.socket, wanted, self)
        else:
            self._selector.modify(self.socket, wanted, self)
        self._watched = wanted

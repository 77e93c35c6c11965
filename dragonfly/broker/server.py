"""The sockets of the embedded broker: one thread, one loop.

Rules:
1. In each turn the loop reads once from every client that has sent something, and then writes once to every client that
   is to get something: under load, many messages share one call of the operating system.
2. A client whose session is not readable is not read: its messages wait in its own socket.
3. Every half second all sessions look at the clock, expired messages go, and memory is looked after.
4. Nothing that a client sends or fails to read can block the loop or end it.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from urllib.parse import quote

from dragonfly.broker.address import is_loopback, shown_address
from dragonfly.broker.errors import Code, ProtocolError
from dragonfly.broker.frames import NO_METHOD
from dragonfly.broker.handshake import Credentials, Handshake
from dragonfly.broker.link import Link
from dragonfly.broker.memory import Memory
from dragonfly.broker.peer import Peer
from dragonfly.broker.session import Session
from dragonfly.broker.virtual_host import VirtualHost

logger = logging.getLogger(__name__)

GUEST = "guest"
TICK = 0.5
_BACKLOG = 1024
_RECEIVE = 128 * 1024
_ACCEPTS_PER_TURN = 64
_TOO_MUCH = "the broker's memory is full, and this connection and its queues hold most of it"


class Broker:
    """An AMQP 0-9-1 broker in this process, in a thread of its own.

    It is for one machine and keeps nothing on disk.

        with Broker() as broker:
            pika.BlockingConnection(pika.URLParameters(broker.url))

    Args:
        host: the address to listen on.
        port: 0 takes a free one.
        user: the one user there is.
        password: of this user.
        memory: how much the messages may take.

    Raises:
        ValueError: it would let the whole network in with a password that everybody knows.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = GUEST,
        password: str = GUEST,
        memory: Memory | None = None,
    ) -> None:
        if not is_loopback(host) and (user == GUEST or not password or password == GUEST):
            raise ValueError(f"a broker on {host} needs a user and a password of its own, not {GUEST}")
        self.host = host
        self.port = port
        self._credentials = Credentials(user, password)
        self._virtual_host = VirtualHost(memory or Memory())
        self._links: dict[Peer, Link] = {}
        self._to_write: list[Link] = []
        self._held_back: list[Link] = []
        self._buffer = bytearray(_RECEIVE)
        self._accepts = True
        self._stopping = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return shown_address(self.host, self.port)

    @property
    def url(self) -> str:
        """The broker as an AMQP URL, with user and password."""
        user, password = (quote(part, safe="") for part in self._credentials)
        return f"amqp://{user}:{password}@{self.address}/"

    @property
    def is_running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen; returns when clients can connect. A second call does nothing.

        Raises:
            OSError: the port is taken, or the address is not one of this machine.
        """
        if self.is_running:
            return
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._waker, self._wake = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._stopping = False
        # A daemon, so that a script which forgets to stop it still ends.
        self._thread = threading.Thread(target=self._run, name=f"broker {self.address}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and end; safe from any thread but its own, and twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            with suppress(OSError):  # it has ended by an error
                self._wake.send(b"x")
            thread.join()
            self._wake.close()

    def _run(self) -> None:
        try:
            self._loop()
        finally:
            self._close_all()

    def _loop(self) -> None:
        next_tick = time.monotonic() + TICK
        while not self._stopping:
            now = self._turn(max(0.0, next_tick - time.monotonic()))
            if now >= next_tick:
                next_tick = now + TICK
                self._tick(now)
            self._write_all(now)

    def _turn(self, patience: float) -> float:
        """Read from all who said something, and return the time; `patience` is in s."""
        events = self._selector.select(patience)
        now = time.monotonic()
        for key, mask in events:
            if key.data is None:
                self._accept(now)
            else:
                self._serve(key.data, mask, now)
        return now

    def _serve(self, link: Link, mask: int, now: float) -> None:
        if mask & selectors.EVENT_READ:
            link.read(self._buffer, now)
            if link.peer.holds_back:
                self._held_back.append(link)
        if mask & selectors.EVENT_WRITE or link.session.is_over or not link.session.is_readable:
            self._to_write.append(link)

    def _accept(self, now: float) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                client, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # No file handles are left: without a pause the loop would spin.
                logger.error("no connection can be accepted: %s", error)
                self._selector.unregister(self._listener)
                self._accepts = False
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(
                client,
                shown_address(*address[:2]),
                self._virtual_host.memory,
                self._selector,
                lambda peer: Session(peer, self._virtual_host, Handshake(self._credentials), now),
                self._to_write.append,
            )
            self._links[link.peer] = link

    def _write_all(self, now: float) -> None:
        while True:
            if self._held_back and self._virtual_host.memory.has_room:
                self._read_again(now)
            if not self._to_write:
                return
            # What is written may make room for more: `_to_write` grows meanwhile.
            for link in self._to_write:
                link.write(now)
                if link.is_closed:
                    self._links.pop(link.peer, None)
            self._to_write.clear()

    def _read_again(self, now: float) -> None:
        """Read again from publishers that were held back: there is room."""
        self._to_write += self._held_back
        for link in self._held_back:
            if link.peer.holds_back:
                link.session.unblock(now)
        self._held_back.clear()

    def _tick(self, now: float) -> None:
        if not self._accepts:
            self._accepts = True
            self._selector.register(self._listener, selectors.EVENT_READ)
        for link in self._links.values():
            link.session.tick(now)
            if link.session.is_over:
                self._to_write.append(link)
        self._virtual_host.drop_expired(now)
        if self._virtual_host.memory.must_shed(now):
            self._shed(now)

    def _shed(self, now: float) -> None:
        """Close the connection that holds most, and further ones while that gives nearly nothing back."""
        memory = self._virtual_host.memory
        enough = max(memory.used - memory.margin, memory.limit - memory.margin)
        while memory.used > enough:
            holder = self._virtual_host.shed({link.peer: link.session.held for link in self._links.values()})
            if holder is None:
                return
            logger.error("the memory is full: %s, who holds most of it, gives up all", getattr(holder, "name", holder))
            if isinstance(holder, Peer) and holder in self._links:
                self._links[holder].session.give_up(ProtocolError(Code.RESOURCE_ERROR, _TOO_MUCH, NO_METHOD), now)

    def _close_all(self) -> None:
        now = time.monotonic()
        for link in self._links.values():
            link.session.close(ProtocolError(Code.CONNECTION_FORCED, "the broker was stopped", NO_METHOD), now)
        for link in self._links.values():
            link.write(now)
            link.close()
        self._links.clear()
        self._selector.close()
        for opened in (self._listener, self._waker):
            opened.close()

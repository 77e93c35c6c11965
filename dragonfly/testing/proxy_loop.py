"""The thread of a FaultProxy, which owns all its sockets and never waits for one.

A fault is a step of this thread, taken between two rounds, so it is there when the call that asked for it returns.
"""

from __future__ import annotations

import math
import selectors
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from dragonfly.testing.proxied_line import Address, Line, Link, hang_up

HOST = "127.0.0.1"
_BACKLOG = 256
# How long a call waits for the thread, s: far longer than any step takes.
_PATIENCE = 10.0


class ProxyLoop:
    """Accepts programs, connects each to the broker, carries their bytes; takes steps in between.

    Args:
        port: where it listens on 127.0.0.1.
        addresses: where the broker may be found, tried in turn for each program.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, addresses: list[Address]) -> None:
        self.line = Line()
        self.links: list[Link] = []
        self.accepted = 0
        self._port = port
        self._addresses = addresses
        self._half_open: list[socket.socket] = []
        self._step: tuple[Callable[[], None], Future[None]] | None = None
        self._stopping = False
        self._asking = threading.Lock()  # one step at a time
        self._changed = threading.Condition()
        self._listener = self._bound()
        self._waker, self._wake = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._listen()
        # A daemon, so that a script which forgets to close it still ends.
        self._thread = threading.Thread(target=self._run, name=f"fault proxy {port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close all sockets and end the thread."""
        with self._asking:
            self._stopping = True
            with suppress(OSError):  # it has ended by an error
                self._wake.send(b"x")
            self._thread.join()
            self._wake.close()

    def do(self, step: Callable[[], None]) -> None:
        """Have the thread take a step, and wait until it did; safe from any thread but its own.

        Raises:
            RuntimeError: the thread has ended.
            OSError: the step failed.
        """
        with self._asking:
            if not self._thread.is_alive():
                raise RuntimeError(f"fault proxy {self._port}: it was closed, an open one was expected")
            done: Future[None] = Future()
            self._step = (step, done)
            self._wake.send(b"x")
            done.result(_PATIENCE)

    def wait_until(self, reached: Callable[[], bool], timeout: float) -> bool:
        """Wait until something about the connections is so, at most `timeout` s; return whether it is."""
        with self._changed:
            return self._changed.wait_for(reached, timeout)

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._end()

    def _turn(self) -> None:
        due = min((link.due for link in self.links), default=math.inf)
        wait = None if due == math.inf else max(0.0, due - time.monotonic())
        fired: set[Any] = {key.fileobj for key, _ in self._selector.select(wait)}
        done = self._take_step() if self._waker in fired else None
        if self._listener in fired:
            self._accept()
        now = time.monotonic()
        for link in list(self.links):
            self._pump(link, now, fired)
        with self._changed:
            self._changed.notify_all()
        if done is not None:
            done.set_result(None)

    def _take_step(self) -> Future[None] | None:
        self._waker.recv(1)
        if self._step is None:  # it is close() that woke us
            return None
        (step, done), self._step = self._step, None
        try:
            step()
        except OSError as err:
            done.set_exception(err)
            return None
        return done

    def _accept(self) -> None:
        while True:
            try:
                program, _ = self._listener.accept()
            except OSError:  # nobody else is waiting, or nobody is listened to
                return
            program.setblocking(False)
            self.accepted += 1
            self.links.append(Link(program, self.line, self._addresses))

    def _pump(self, link: Link, now: float, fired: set[Any]) -> None:
        link.pump(now, not fired.isdisjoint(link.watched))
        if link.over:
            self._drop(link, link.broken)
        else:
            self._watch(link, link.interests())

    def _watch(self, link: Link, wanted: dict[socket.socket, int]) -> None:
        if wanted == link.watched:
            return
        for end in link.watched:
            self._selector.unregister(end)
        for end, events in wanted.items():
            self._selector.register(end, events)
        link.watched = wanted

    def _drop(self, link: Link, reset: bool) -> None:
        self._watch(link, {})
        self.links.remove(link)
        for end in (link.program, link.broker):
            if end is not None:
                hang_up(end, reset)

    def _drop_half_open(self, reset: bool) -> None:
        while self._half_open:
            hang_up(self._half_open.pop(), reset)

    def cut(self, reset: bool) -> None:
        """Close every connection, and what is half open; a step."""
        self._accept()  # who is in the backlog believes to be connected, too
        for link in list(self.links):
            self._drop(link, reset)
        self._drop_half_open(reset)

    def let_half_open(self) -> None:
        """Reset the programs' sides, and keep the broker's; a step."""
        self._accept()
        for link in list(self.links):
            self._watch(link, {})
            if link.pipes and link.broker is not None:
                self._half_open.append(link.broker)
                link.broker = None
            self._drop(link, reset=True)

    def refuse(self) -> None:
        """Cut, and listen no more; a step."""
        self.cut(reset=True)
        if self._listener in self._selector.get_map():
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = self._bound()

    def restore(self) -> None:
        """Mend the line, let go what it held, and listen; a step."""
        self.line.stalled, self.line.delay, self.line.rate = set(), 0.0, 0.0
        for link in self.links:
            link.hurry()
        self._drop_half_open(reset=True)
        if self._listener not in self._selector.get_map():
            self._listen()

    def _bound(self) -> socket.socket:
        """Return a socket that has our port, so that nobody else can take it, and does not listen: it refuses."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        try:
            listener.bind((HOST, self._port))
        except OSError:
            listener.close()
            raise
        return listener

    def _listen(self) -> None:
        self._listener.listen(_BACKLOG)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _end(self) -> None:
        self.cut(reset=False)
        self._selector.close()
        self._listener.close()
        self._waker.close()

"""A line that breaks on command: a TCP proxy between a program and its broker.

This file says what a test can ask for. What is carried, and how, is told in proxied_line.py, and who does it in
proxy_loop.py.
"""

from __future__ import annotations

import math
import socket
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from dragonfly.core.broker_address import parsed_address
from dragonfly.testing.processes import free_ports
from dragonfly.testing.proxied_line import FROM_BROKER, TO_BROKER
from dragonfly.testing.proxy_loop import HOST, ProxyLoop

_STALLS = {"both": {TO_BROKER, FROM_BROKER}, TO_BROKER: {TO_BROKER}, FROM_BROKER: {FROM_BROKER}}


class FaultProxy:
    """A TCP proxy on 127.0.0.1 that carries the connections of programs to a broker, and breaks the line on command.

    It runs in a `with` block, or from `start()` to `close()`. Each call that sets a fault returns when it is there, and
    may come from any thread. Delay, rate and stall can be had together; `restore()` ends them all. The broker may go
    and come back: while it is away, a program is accepted and closed at once.

    What is encrypted (amqps) is carried too; but the certificate must then be good for 127.0.0.1, or the URL must say
    `server_name_indication`.

    Args:
        broker: the one broker: HOST, HOST:PORT or an AMQP URL.

    Raises:
        DriplineValueError: the text is no address.

    Example:
        with FaultProxy(broker.address) as proxy, Mesh(proxy.address) as mesh:
            mesh.serve(Path("my_store.yaml"))
            proxy.cut()
    """

    def __init__(self, broker: str) -> None:
        self._target = parsed_address(broker)
        self._broker = broker
        self._loop: ProxyLoop | None = None
        self.port = 0

    def __enter__(self) -> FaultProxy:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The broker's address with the proxy's host and port in it; user, password, virtual host and the rest stay."""
        if "://" not in self._broker:
            return f"{HOST}:{self.port}"
        parts = urlsplit(self._broker)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}{HOST}:{self.port}").geturl()

    @property
    def connections(self) -> int:
        """How many connections of programs are open now; those that are half open are not."""
        return len(self._running.links)

    @property
    def accepted(self) -> int:
        """How many connections were accepted since the start."""
        return self._running.accepted

    def start(self) -> None:
        """Listen; returns when programs can connect. The broker is not needed yet.

        Raises:
            OSError: the broker's host has no address.
        """
        if self._loop is not None:
            return
        found = socket.getaddrinfo(self._target.host, self._target.port, type=socket.SOCK_STREAM)
        [self.port] = free_ports(1)
        self._loop = ProxyLoop(self.port, [(family, address) for family, _, _, _, address in found])

    def close(self) -> None:
        """Close all connections and the listener, and end the thread. Twice is harmless."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def cut(self, reset: bool = True) -> None:
        """Close every connection, on both sides, and what is half open; bytes on their way are lost.

        Args:
            reset: whether both ends see a reset (RST), as after a crash, or else an orderly end (FIN).
        """
        loop = self._running
        loop.do(lambda: loop.cut(reset))

    def refuse(self) -> None:
        """Cut all connections, and refuse new ones until `restore()`."""
        self._running.do(self._running.refuse)

    def stall(self, direction: str = "both") -> None:
        """Carry nothing more, neither bytes nor the end of a connection, until `restore()`; what is open stays open.

        New connections are accepted, and stalled as well. A second stall takes the place of the first.

        Args:
            direction: "both", "to_broker" (the broker hears nothing), or "from_broker" (the program hears nothing).
        """
        if direction not in _STALLS:
            raise ValueError(f"stall: {direction!r} is no direction, {', '.join(_STALLS)} was expected")
        self._set("stalled", _STALLS[direction])

    def half_open(self) -> None:
        """Reset the program's side of every connection, and keep the broker's side open, silent and unread.

        So the broker believes that the program is there, until its own heartbeat ends it. The program may connect anew
        at once. `restore()` and `cut()` end the broker's side.
        """
        self._running.do(self._running.let_half_open)

    def delay(self, seconds: float) -> None:
        """Let each byte arrive so much later, in each direction, in order; 0 for no delay.

        A direction of a connection holds 1 MiB on its way, so it carries no more than that in this time.

        Args:
            seconds: the way one way, s.
        """
        if not 0.0 <= seconds < math.inf:
            raise ValueError(f"delay: {seconds!r} s was given, 0 or more was expected")
        self._set("delay", seconds)

    def throttle(self, bytes_per_second: float) -> None:
        """Carry no more than this in each direction of each connection.

        Args:
            bytes_per_second: the rate, bytes/s.
        """
        if not 0.0 < bytes_per_second < math.inf:
            raise ValueError(f"throttle: {bytes_per_second!r} bytes/s was given, more than 0 was expected")
        self._set("rate", bytes_per_second)

    def restore(self) -> None:
        """End every fault: what was stalled, late or slow flows on; what the broker holds half open is reset."""
        self._running.do(self._running.restore)

    def wait_for(self, connections: int | None = None, accepted: int = 0, timeout: float = 10.0) -> None:
        """Wait until so many connections are open, and at least so many were accepted.

        Args:
            connections: how many are to be open; any number by default.
            accepted: how many are to be accepted since the start, at least.
            timeout: seconds to wait.

        Raises:
            TimeoutError: it did not come to that.
        """
        if not self._running.wait_until(
            lambda: connections in (None, self.connections) and self.accepted >= accepted, timeout
        ):
            expected = "" if connections is None else f"{connections} open and "
            raise TimeoutError(
                f"fault proxy {self.port}: {self.connections} connections are open and {self.accepted} were accepted "
                f"after {timeout:g} s, {expected}at least {accepted} accepted was expected"
            )

    @property
    def _running(self) -> ProxyLoop:
        if self._loop is None:
            raise RuntimeError(f"the fault proxy to {self._target.display} does not run: start() was expected before")
        return self._loop

    def _set(self, name: str, value: Any) -> None:
        line = self._running.line
        self._running.do(lambda: setattr(line, name, value))

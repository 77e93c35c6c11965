"""A server on loopback that never comes to an end: a byte now and then, to whoever reads on."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

DRIP_SECONDS = 0.02


class DrippingServer:
    """Answers each connection with `at_once`, and then with `drop` again and again, until the other side has gone."""

    def __init__(self, at_once: bytes, drop: bytes) -> None:
        self._at_once = at_once
        self._drop = drop
        self._ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> DrippingServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        socket.create_connection(self._listening.getsockname()).close()  # who waits for one has one more
        for thread in self._threads:
            thread.join()
        self._listening.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._ended.is_set():
                thread = threading.Thread(target=self._answer, args=(self._listening.accept()[0],))
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(self._at_once)
            while not self._ended.wait(DRIP_SECONDS):
                connection.sendall(self._drop)

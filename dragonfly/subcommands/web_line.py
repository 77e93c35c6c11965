"""The way to a web server that another thread can cut: the time limit of urllib is one for each read, not for all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.request import AbstractHTTPHandler, HTTPHandler, HTTPSHandler, Request, build_opener


class WebLine:
    """Opens web addresses, redirects and proxies included, and knows the sockets that are used for it.

    Args:
        seconds: how long connecting, and each read, may take, s.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._guard = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_shut = False

    def open(self, request: Request) -> Any:
        """Return the response to a request, to be closed by the caller.

        Raises:
            OSError: it cannot be had.
            HTTPException: what answers does not speak HTTP.
            ValueError: the address is none.
        """
        opener = build_opener(_Http(self._keep), _Https(self._keep))
        return opener.open(request, timeout=self._seconds)

    def shut(self) -> None:
        """End whatever is read or written, now or later; any thread."""
        with self._guard:
            self._is_shut = True
            for opened in self._sockets:
                _shut(opened)

    def _keep(self, opened: socket.socket) -> None:
        with self._guard:
            self._sockets.append(opened)
            if self._is_shut:
                _shut(opened)


def _shut(opened: socket.socket) -> None:
    with suppress(OSError):  # it is closed, or the server has gone
        # The plain socket's: that of TLS would take the cipher away from a thread that reads.
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


class _Keeping(AbstractHTTPHandler):
    """Tells of each socket as soon as it is connected."""

    def __init__(self, keep: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._keep = keep

    def do_open(self, http_class: Any, req: Request, **http_conn_args: Any) -> HTTPResponse:
        """Open as urllib does, on a connection that tells of its socket."""

        def connection(host: str, **options: Any) -> HTTPConnection:
            made: HTTPConnection = http_class(host, **options)
            connect = made.connect

            def connect_and_tell() -> None:
                connect()
                self._keep(made.sock)

            made.connect = connect_and_tell  # type: ignore[method-assign]
            return made

        return super().do_open(connection, req, **http_conn_args)


class _Http(_Keeping, HTTPHandler):
    pass


class _Https(_Keeping, HTTPSHandler):
    pass

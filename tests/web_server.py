"""A web server on loopback that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.waiting import wait_until


class Asked(NamedTuple):
    """A request, with the form, or the object of JSON, in its body."""

    method: str
    path: str
    form: dict[str, Any]
    headers: dict[str, str]


class Answer(NamedTuple):
    """What is answered; `status` 0 is none at all until the server ends."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}


class WebServer:
    """Gives the answers one after another, and the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def __enter__(self) -> WebServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Asked]:
        """Wait until there were so many requests."""
        assert wait_until(lambda: len(self.asked) >= count, timeout), self.asked
        return self.asked


def _handler(server: WebServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            is_json = self.headers.get("Content-Type", "").startswith("application/json")
            form = json.loads(body) if is_json else {name: values[0] for name, values in parse_qs(body).items()}
            answer = server.next_answer()
            server.asked.append(Asked(self.command, urlsplit(self.path).path, form, dict(self.headers)))
            if answer.status == 0:
                server.ended.wait(10)
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler

"""The way to a web server: what is read from it ends when another thread says so, wherever it drips."""

import json
import threading
from http.client import HTTPException
from urllib.request import Request

import pytest

from dragonfly.subcommands.web_line import WebLine
from tests.dripping_server import DRIP_SECONDS, DrippingServer
from tests.waiting import wait_until
from tests.web_server import Answer, WebServer

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


class Reader:
    """Reads an address in a thread of its own."""

    def __init__(self, line: WebLine, url: str) -> None:
        self.read: bytes | None = None
        self.error: Exception | None = None
        self._line = line
        self.thread = threading.Thread(target=self._run, args=(url,))
        self.thread.start()

    def _run(self, url: str) -> None:
        try:
            with self._line.open(Request(url)) as response:
                self.read = response.read()
        except (OSError, HTTPException) as err:
            self.error = err


def test_it_reads_what_is_answered() -> None:
    with WebServer(Answer(body=b"[1]")) as server, WebLine(5).open(Request(server.url, b"a=b")) as response:
        assert json.loads(response.read()) == [1]
    assert server.asked[0].form == {"a": "b"}


@pytest.mark.parametrize(
    ("at_once", "drop"),
    [
        (b"", b"H"),
        (OK, b"X"),
        (OK + b"\r\n", b" "),
        (OK + b"Content-Length: 100000\r\n\r\n", b" "),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n", b" "),
    ],
    ids=["status", "header", "body", "body of a known length", "size of a chunk", "body of a redirect"],
)
def test_a_shut_ends_what_drips(at_once: bytes, drop: bytes) -> None:
    line = WebLine(5)
    with DrippingServer(at_once, drop) as server:
        reader = Reader(line, server.url)
        assert not wait_until(lambda: not reader.thread.is_alive(), timeout=5 * DRIP_SECONDS)
        line.shut()
        assert wait_until(lambda: not reader.thread.is_alive(), timeout=1.0)


def test_what_is_connected_after_a_shut_is_ended_too(slow_names: threading.Event) -> None:
    line = WebLine(5)
    with DrippingServer(OK + b"\r\n", b" ") as server:
        reader = Reader(line, server.url)
        line.shut()
        slow_names.set()
        assert wait_until(lambda: not reader.thread.is_alive(), timeout=1.0)

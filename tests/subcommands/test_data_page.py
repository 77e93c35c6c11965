"""A web address is asked for data as the first watchdog did, and whatever goes wrong is told."""

import os
import signal
import threading
import time
from datetime import datetime

import pytest

from dragonfly.subcommands.data_page import DataPage
from tests.dripping_server import DrippingServer
from tests.waiting import wait_until
from tests.web_server import Answer, WebServer

HEAD = b"HTTP/1.1 200 OK\r\n"
NO_ANSWER = "no answer within 0.2 s"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_it_posts_the_two_times_in_utc() -> None:
    with WebServer(Answer(body=b'[{"peaches": 0.75}]')) as server:
        assert DataPage(f"{server.url}data.php?key=k", max_age=600).problem() is None
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/data.php")
    start, stop = (datetime.strptime(asked.form[name], "%Y-%m-%dT%H:%M:%SZ") for name in ("start_time", "stop_time"))
    assert (stop - start).total_seconds() == 600
    assert abs(time.time() - (stop - datetime(1970, 1, 1)).total_seconds()) < 5


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(body=b"[]"), "it has no data"),
        (Answer(body=b"{}"), "it has no data"),
        (Answer(body=b"null"), "it has no data"),
        (Answer(body=b""), "its answer is no JSON"),
        (Answer(body=b"<html>"), "its answer is no JSON"),
        (Answer(body=b"\xff"), "its answer is no JSON"),
        (Answer(body=b"[" * 100_000), "its answer is no JSON"),
        (Answer(status=404, body=b"[1]"), "it answers with status 404"),
        (Answer(status=500), "it answers with status 500"),
        (Answer(body=b"[1", headers={"Content-Length": "100"}), "its answer is no JSON"),
    ],
)
def test_what_is_no_data_is_a_problem(answer: Answer, problem: str) -> None:
    with WebServer(answer) as server:
        assert str(DataPage(server.url, 600, answer_seconds=0.5).problem()).startswith(problem)


def test_no_server_is_a_problem() -> None:
    with WebServer(Answer()) as server:
        url = server.url
    assert str(DataPage(url, 600).problem()).startswith("it cannot be asked: [Errno 111]")


def those_who_ask() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("asks ")]


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    with WebServer(Answer(status=0)) as server:
        page = DataPage(server.url, 600, answer_seconds=0.2)
        began = time.monotonic()
        assert [page.problem() for _ in range(3)] == [NO_ANSWER] * 3
        assert time.monotonic() - began < 2.0
        assert wait_until(lambda: those_who_ask() == [])


@pytest.mark.parametrize("at_once", [b"", HEAD, HEAD + b"\r\n"], ids=["status", "headers", "body"])
def test_a_server_that_answers_byte_by_byte_is_left_when_the_time_is_over(at_once: bytes) -> None:
    """Each byte comes soon enough for the time limit of one read."""
    with DrippingServer(at_once, b" ") as server:
        page = DataPage(server.url, 600, answer_seconds=0.2)
        began = time.monotonic()
        assert [page.problem() for _ in range(3)] == [NO_ANSWER] * 3
        assert time.monotonic() - began < 2.0
        assert wait_until(lambda: those_who_ask() == [])


def test_while_a_name_is_still_looked_up_nothing_more_is_asked(slow_names: threading.Event) -> None:
    with WebServer(Answer(body=b"[1]")) as server:
        page = DataPage(server.url, 600, answer_seconds=0.2)
        assert page.problem() == NO_ANSWER
        assert page.problem() == f"{NO_ANSWER}, nor has the question before come to its end"
        assert len(those_who_ask()) == 1
        slow_names.set()
        assert wait_until(lambda: those_who_ask() == [])
        assert page.problem() is None


def test_an_interrupted_question_leaves_no_thread() -> None:
    with DrippingServer(HEAD, b" ") as server:
        interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            DataPage(server.url, 600).problem()
        interrupt.join()
        assert wait_until(lambda: those_who_ask() == [])


def test_the_name_has_no_query() -> None:
    assert DataPage("https://host:1/data.php?key=secret", 600).name == "https://host:1/data.php"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("host", "http://HOST/PATH"),
        ("ftp://host", "http://HOST/PATH"),
        ("file:///etc/passwd", "http://HOST/PATH"),
        ("http://", "http://HOST/PATH"),
        ("http://bob:SECRET@host/", "without user and password"),
        ("http://bob:SECRET@ho\u2100st/", "without user and password"),
        ("http://[", "http://HOST/PATH"),
        ("http://host:abc/p", "a port from 1 to 65535"),
        ("http://host:99999/p", "a port from 1 to 65535"),
        ("http://host:0/p", "a port from 1 to 65535"),
        ("http://host:-1/p?key=SECRET", "a port from 1 to 65535"),
        ("http://host/p?key=SECRET x", "without blanks and control characters"),
        ("http://ho st/p", "without blanks and control characters"),
        (" http://host/p", "without blanks and control characters"),
        ("http://host/p\n", "without blanks and control characters"),
        ("http://host/p?key=SECRET\x7f", "without blanks and control characters"),
        ("http://host/p?key=SECRET\u00a0x", "without blanks and control characters"),
        ("http://host/p?key=SECRET\u00b5", "with % and two digits"),
        ("http://host/\u00b5", "with % and two digits"),
    ],
)
def test_what_is_no_address_is_refused_and_not_quoted(url: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as caught:
        DataPage(url, 600)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_a_possible_port_is_none_of_our_business(port: str) -> None:
    assert DataPage(f"https://host{port}/", 600).name == f"https://host{port}/"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:SECRET/\r\nContent-Length: 0\r\n\r\n",
            "it cannot be asked: its host, or the address that it redirects to",
        ),
        (b"POST /p?key=SECRET HTTP/1.1\r\n\r\n", "its answer is not HTTP: BadStatusLine"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nSECRET\r\n", "its answer is not HTTP: IncompleteRead"),
    ],
)
def test_what_an_answer_may_hold_of_the_query_is_not_quoted(answer: bytes, problem: str) -> None:
    with DrippingServer(answer, b"\n") as server:
        found = str(DataPage(f"{server.url}p?key=SECRET", 600, answer_seconds=2.0).problem())
    assert found.startswith(problem)
    assert "SECRET" not in found

"""A web address is asked for data as the first watchdog did, and whatever goes wrong is told."""

import re
import time
from datetime import datetime

import pytest

from dragonfly.subcommands.data_page import DataPage
from tests.web_server import Answer, WebServer


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


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    with WebServer(Answer(status=0)) as server:
        began = time.monotonic()
        problem = str(DataPage(server.url, 600, answer_seconds=0.1).problem())
        assert time.monotonic() - began < 1.0
    assert re.search("no answer within 0.1 s|timed out", problem)


def test_the_name_has_no_query() -> None:
    assert DataPage("https://host:1/data.php?key=secret", 600).name == "https://host:1/data.php"


@pytest.mark.parametrize("url", ["host", "ftp://host", "file:///etc/passwd", "http://", "http://u:p@host/", "http://["])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - a text of urllib's, or ours
        DataPage(url, 600)

"""Slack, played by a server on loopback that speaks chat.postMessage."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from functools import partial

import pytest

from dragonfly.status_log_handlers import Source, beside_the_terminal, slack
from dragonfly.status_log_handlers.mailbox import LaterError, Mailbox, RefusedError
from tests.waiting import wait_until
from tests.web_server import Answer, WebServer

logger = logging.getLogger("dragonfly.test")
OK = Answer(body=b'{"ok": true, "ts": "1.2"}')
SOURCE = Source("my_store", slack_channel="#alarms")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """Give Slack, and a token for it."""
    pytest.importorskip("slack_sdk", reason="slack_sdk is not installed")
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DRAGONFLY_SLACK_TOKEN", "xoxb-secret")
    with WebServer(OK) as server:
        monkeypatch.setattr(slack, "BASE_URL", server.url)
        yield server


def refusal(error: str, status: int = 200) -> Answer:
    return Answer(status, json.dumps({"ok": False, "error": error}).encode())


def test_a_critical_record_is_posted_to_the_channel(server: WebServer) -> None:
    with beside_the_terminal(SOURCE):
        logger.error("an error")
        logger.critical("%s is on fire", "the oven")
        (asked,) = server.wait_for(1)
    assert (asked.method, asked.path) == ("POST", "/chat.postMessage")
    assert asked.headers["Authorization"] == "Bearer xoxb-secret"
    assert asked.form["channel"] == "#alarms"
    assert asked.form["text"].startswith("my_store on ")
    assert asked.form["text"].endswith(": the oven is on fire")
    assert len(server.asked) == 1


def test_the_same_text_is_muted(server: WebServer) -> None:
    with beside_the_terminal(SOURCE):
        for _ in range(5):
            logger.critical("again")
    assert [asked.form["text"].partition(": ")[2] for asked in server.asked] == ["again", "again (muted 4)"]


def test_a_text_commands_nothing_in_slack(server: WebServer) -> None:
    with beside_the_terminal(SOURCE):
        logger.critical("<!channel> a & b")
    assert server.asked[0].form["text"].endswith(": &lt;!channel&gt; a &amp; b")


@pytest.mark.parametrize(("retry_after", "pauses"), [("0", 0.1 + 0.2 + 0.4), ("1", 3 * 1.0)])
def test_it_is_tried_again_after_429_not_before_slack_says_nor_without_a_pause(
    retry_after: str,
    pauses: float,
    server: WebServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slack, "Mailbox", partial(Mailbox, first_retry=0.1))
    server.answers = [Answer(429, b'{"ok": false, "error": "ratelimited"}', {"Retry-After": retry_after})] * 3 + [OK]
    began = time.monotonic()
    with beside_the_terminal(SOURCE):
        logger.critical("x")
        server.wait_for(4, timeout=10)
    assert time.monotonic() - began >= pauses
    assert len(server.asked) == 4
    assert [record.name for record in caplog.records] == ["dragonfly.test"]


@pytest.mark.parametrize(
    ("answer", "kind", "text", "seconds"),
    [
        (refusal("invalid_auth"), RefusedError, "Slack says invalid_auth", None),
        (refusal("channel_not_found"), RefusedError, "Slack says channel_not_found", None),
        (refusal("internal_error"), LaterError, "internal_error", None),
        (refusal("ratelimited", 429), LaterError, "it gets too many messages", None),
        (Answer(429, b"{}", {"Retry-After": "7"}), LaterError, "it gets too many messages", 7.0),
        (Answer(429, b"wait", {"Retry-After": "soon"}), LaterError, "it gets too many messages", None),
        (Answer(503, b"<html>"), LaterError, "what answers with status 503 has trouble, or is not Slack", None),
        (Answer(200, b"<html>"), LaterError, "what answers with status 200 has trouble, or is not Slack", None),
        (Answer(200, b"\xff"), LaterError, "UnicodeDecodeError: ", None),
        (Answer(0), LaterError, "TimeoutError: timed out", None),
    ],
)
def test_each_failure_is_for_later_or_for_good(
    answer: Answer,
    kind: type[Exception],
    text: str,
    seconds: float | None,
    server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slack, "POST_SECONDS", 1.0)
    server.answers = [answer]
    with pytest.raises(kind) as caught:
        slack.poster("#alarms", "token")("x")
    assert str(caught.value).startswith(text)
    assert getattr(caught.value, "seconds", None) == seconds


def test_no_server_is_for_later(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with WebServer(OK) as ended:
        monkeypatch.setattr(slack, "BASE_URL", ended.url)
    with pytest.raises(LaterError, match="Connection refused"):
        slack.poster("#alarms", "token")("x")


def test_a_token_that_cannot_be_sent_is_not_quoted(server: WebServer) -> None:
    with pytest.raises(RefusedError) as caught:
        slack.poster("#alarms", "xoxb-se\ncret")("x")
    assert "xoxb" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_slack_refuses_is_one_warning_and_the_log_goes_on(
    server: WebServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answers = [refusal("not_in_channel")]
    with beside_the_terminal(SOURCE):
        logger.critical("a")
        logger.critical("b")
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["Slack's channel #alarms does not get what it should: Slack says not_in_channel"]
    assert "xoxb" not in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_record_that_cannot_be_put_into_words_is_one_sentence(
    server: WebServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = logging.LogRecord("dragonfly.test", logging.CRITICAL, __file__, 17, "%d is no number", ("x",), None)
    with beside_the_terminal(SOURCE):
        for handler in logging.getLogger("dragonfly").handlers:
            handler.handle(bad)
        logger.critical("b")
    (sentence,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert sentence.startswith("what dragonfly.test(17) logged does not go to slack: %d format: ")
    assert [asked.form["text"].partition(": ")[2] for asked in server.asked] == ["b"]
    assert capfd.readouterr() == ("", "")


def test_a_hung_slack_keeps_nobody(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from dragonfly.status_log_handlers import mailbox

    monkeypatch.setattr(mailbox, "STOP_SECONDS", 0.1)
    server.answers = [Answer(0)]
    with beside_the_terminal(SOURCE):
        logger.critical("a")
        server.wait_for(1)
        logger.critical("b")
    server.ended.set()
    assert wait_until(lambda: len(server.asked) == 2)


def test_without_a_channel_nothing_is_posted(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    with beside_the_terminal(Source("my_store")):
        logger.critical("a")
    assert server.asked == []
    assert len(caplog.records) == 1


def test_without_slack_sdk_it_says_once_what_to_install(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGONFLY_SLACK_TOKEN", "xoxb-secret")
    monkeypatch.setitem(sys.modules, "slack_sdk", None)
    with beside_the_terminal(SOURCE):
        logger.critical("a")
    (warning, _) = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage().endswith("channel #alarms: slack_sdk is not installed: pip install slack_sdk")


def test_without_a_token_it_says_once_where_it_looks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("DRAGONFLY_SLACK_TOKEN", raising=False)
    monkeypatch.delenv("DRAGONFLY_AUTH_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with beside_the_terminal(SOURCE):
        logger.critical("a")
    (warning, _) = caplog.records
    assert warning.getMessage().endswith("channel #alarms: there is no token, see docs/how_to/slack")

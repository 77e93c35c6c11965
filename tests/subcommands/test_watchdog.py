"""watchdog: when it speaks, what it says, and its statuses; time passes as the test says."""

import os
import signal
import threading
import types

import pytest

from dragonfly.cli import main
from dragonfly.core import listener as listener_module
from dragonfly.core.exceptions import DriplineAMQPConnectionError
from dragonfly.subcommands import pause, watchdog
from dragonfly.subcommands.signals import Terminated
from tests.web_server import Answer, WebServer


class FakeListener:
    """Gives alerts, each so many seconds after the one before, and then Ctrl-C."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.alerts: list[tuple[float, str]] = []
        self.made: tuple[object, ...] = ()
        self.error: Exception | None = None
        self.stopped = False
        self.at_end: type[BaseException] = KeyboardInterrupt

    def __call__(self, broker: str | None, exchange: str, keys: list[str], name: str) -> "FakeListener":
        self.made = (broker, exchange, keys)
        return self

    def start(self) -> None:
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        self.stopped = True

    def next(self, timeout: float) -> types.SimpleNamespace | None:
        if not self.alerts:
            raise self.at_end
        assert timeout <= 0.5  # for longer, a signal could remain unseen
        seconds, key = self.alerts[0]
        if seconds > timeout:
            self.now += timeout
            self.alerts[0] = (seconds - timeout, key)
            return None
        self.now += seconds
        del self.alerts[0]
        return types.SimpleNamespace(routing_key=key)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> FakeListener:
    fake = FakeListener()
    monkeypatch.setattr(listener_module, "Listener", fake)
    monkeypatch.setattr(watchdog, "time", types.SimpleNamespace(monotonic=lambda: fake.now))
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    return fake


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the records as `LEVEL text`; how it ends, which is the same each time, is left out."""
    out, err = capsys.readouterr()
    assert out == ""
    lines = [f"{line.partition('[')[2].split(']')[0].strip()} {line.partition('-> ')[2]}" for line in err.splitlines()]
    return [line for line in lines if "exiting" not in line]


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("watchdog", (None, "alerts", ["#"])),
        ("watchdog -k", (None, "alerts", ["#"])),
        ("watchdog -k a.# b a.# -b host", ("host", "alerts", ["a.#", "b"])),
    ],
)
def test_it_listens_to_what_it_is_told(line: str, made: tuple[object, ...], listener: FakeListener) -> None:
    assert main(line.split()) == 0
    assert listener.made == made
    assert listener.stopped


def test_it_says_at_the_start_what_it_watches(listener: FakeListener, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watchdog", "-k", "a.#", "b", "-v"]) == 0
    assert said(capsys) == ["INFO starting to watch alerts 'a.#', 'b', none of which may be away for 600 s"]


def test_by_default_any_alert_in_ten_minutes_will_do(
    listener: FakeListener, capsys: pytest.CaptureFixture[str]
) -> None:
    listener.alerts = [(599, "a"), (599, "b"), (661, "c"), (10, "d"), (3600, "e")]
    assert main(["watchdog"]) == 0
    assert said(capsys) == [
        "CRITICAL no alert has come for 602 s",
        "Level 25 data again: alerts, after 661 s",
        "CRITICAL no alert has come for 651 s",
        "Level 25 data again: alerts, after 3600 s",
    ]


def test_each_key_is_watched_by_itself(listener: FakeListener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.alerts = [(5, "a.x"), (5, "a.y"), (5, "a.x"), (1, "b")]
    assert main(["watchdog", "-k", "a.*", "b", "--max-age", "10", "--interval", "1"]) == 0
    assert said(capsys) == ["CRITICAL no alert 'b' has come for 11 s", "Level 25 data again: 'b', after 16 s"]


def test_it_is_said_again_while_they_are_missing(listener: FakeListener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.alerts = [(100, "a")]
    main(["watchdog", "-k", "b", "--max-age", "10", "--interval", "1", "--repeat", "40"])
    assert said(capsys) == [f"CRITICAL no alert 'b' has come for {seconds} s" for seconds in (11, 51, 91)]


def test_alerts_without_a_pause_do_not_keep_it_from_looking(
    listener: FakeListener, capsys: pytest.CaptureFixture[str]
) -> None:
    listener.alerts = [(0.5, "a")] * 50
    main(["watchdog", "-k", "b", "--max-age", "10", "--interval", "1"])
    assert said(capsys) == ["CRITICAL no alert 'b' has come for 11 s"]


@pytest.mark.parametrize(
    ("alerts", "status", "missing"),
    [
        ([(1, "a"), (1, "c"), (1, "b"), (99, "a")], 0, []),
        ([(1, "a"), (1, "a"), (99, "b")], 1, ["CRITICAL no alert 'b' has come for 10 s"]),
        ([(11, "a")], 1, ["CRITICAL no alert 'a' has come for 10 s", "CRITICAL no alert 'b' has come for 10 s"]),
    ],
)
def test_once_ends_as_soon_as_it_knows(
    alerts: list[tuple[float, str]],
    status: int,
    missing: list[str],
    listener: FakeListener,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listener.alerts = alerts
    assert main(["watchdog", "-k", "a", "b", "--max-age", "10", "--once"]) == status
    assert listener.now <= 1010
    assert said(capsys) == missing
    assert listener.stopped


@pytest.mark.parametrize("at_end", [KeyboardInterrupt, Terminated])
def test_once_says_nothing_is_well_where_it_was_interrupted(
    at_end: type[BaseException], listener: FakeListener, capsys: pytest.CaptureFixture[str]
) -> None:
    listener.at_end = at_end
    assert main(["watchdog", "-k", "a", "--max-age", "10", "--once"]) == 130
    assert "exiting" in capsys.readouterr().err
    assert listener.stopped


def test_a_broker_that_is_not_there_is_critical(listener: FakeListener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.error = DriplineAMQPConnectionError("no broker at x")
    assert main(["watchdog"]) == 3
    (line,) = said(capsys)
    assert line.startswith("CRITICAL no broker at x")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--max-age", "0"], "was expected, not '0'"),
        (["--interval", "nan"], "not 'nan'"),
        (["--repeat", "inf"], "not 'inf'"),
        (["--max-age", "soon"], "not 'soon'"),
        (["-k", "a" * 256], "is too long"),
        (["-k", "a b"], "'a b' cannot be a binding key of alerts: it has blanks"),
        (["-k", "ok", "a\t"], "'a\\t' cannot be a binding key of alerts"),
        (["-k", ""], "the binding key is empty"),
        (["--interval", "1e-9"], "a number of seconds from 0.001 to 4294967 was expected, not '1e-9'"),
        (["--url", "host"], "--url: a web address was expected"),
        (["--url", "http://host:abc/p", "--once"], "--url: a web address was expected, with a port from 1 to 65535"),
        (["--url", "http://host/p?key=SECRET x", "--once"], "--url: a web address was expected, without blanks"),
        (["--url", "http://host", "-k", "a"], "give one of them"),
    ],
)
def test_what_makes_no_sense_is_status_2(
    words: list[str], sentence: str, listener: FakeListener, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watchdog", *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err.splitlines()[-1]
    assert "SECRET" not in err
    assert listener.made == ()


def test_ctrl_c_says_good_bye(listener: FakeListener, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watchdog"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.partition("[")[2].startswith("WARNING ] dragonfly.subcommands.watchdog(")
    assert line.endswith("-> received <Ctrl+c>... exiting")


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pauses take no time, and SIGTERM come in the third one of 7 s."""
    now = 1000.0

    class Pause:
        def wait(self, seconds: float) -> None:
            nonlocal now
            assert seconds <= 0.5  # for longer, a signal could remain unseen
            now += seconds
            if now > 1000 + 2 * 7:
                os.kill(os.getpid(), signal.SIGTERM)

    for module in (watchdog, pause):
        monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(pause, "threading", types.SimpleNamespace(Event=Pause))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.usefixtures("quick_pauses")
def test_a_page_is_asked_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    with WebServer(Answer(body=b"[]"), Answer(body=b"[]"), Answer(body=b"[1]")) as server:
        assert main(["watchdog", "--url", server.url, "--interval", "7"]) == 0
    assert said(capsys) == [
        f"CRITICAL {server.url}: it has no data",
        f"Level 25 data again: {server.url}, after 14 s",
    ]
    assert len(server.asked) == 3


def test_a_page_that_was_asked_once_and_did_not_answer_before_sigterm_is_not_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with WebServer(Answer(status=0)) as server:
        timer = threading.Thread(target=lambda: server.wait_for(1) and os.kill(os.getpid(), signal.SIGTERM))
        timer.start()
        assert main(["watchdog", "--url", server.url, "--once"]) == 130
        timer.join()


@pytest.mark.parametrize(("body", "status", "lines"), [(b"[1]", 0, 0), (b"[]", 1, 1)])
def test_a_page_is_asked_once_for_cron(
    body: bytes, status: int, lines: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with WebServer(Answer(body=body)) as server:
        assert main(["watchdog", "--url", server.url, "--once"]) == status
    assert len(server.asked) == 1
    assert len(said(capsys)) == lines

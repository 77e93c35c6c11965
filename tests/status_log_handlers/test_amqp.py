"""Records as alerts: which, under what key, and never one that makes the next."""

import logging
import math
import threading

import pytest

from dragonfly.core.exceptions import DriplineError, DriplinePayloadError, DriplineValueError
from dragonfly.status_log_handlers import Source, beside_the_terminal
from dragonfly.status_log_handlers.console import console

logger = logging.getLogger("dragonfly.test")


class Alerts(list[tuple[str, object]]):
    """Keeps what is sent, and logs something meanwhile."""

    error: Exception | None = None

    def send(self, key: str, payload: object) -> None:
        self.append((key, payload))
        logger.error("logged while an alert is sent")
        if self.error is not None:
            raise self.error


@pytest.fixture
def alerts() -> Alerts:
    return Alerts()


def source(alerts: Alerts, status_alerts: bool = True) -> Source:
    return Source("my_store", alerts.send, status_alerts)


def test_from_warning_up_they_are_alerts_with_level_and_service_in_their_key(alerts: Alerts) -> None:
    with beside_the_terminal(source(alerts)):
        for level in (10, 20, 25, 30, 40, 45, 50):
            logger.log(level, "level %d", level)
    assert alerts == [
        ("status_message.warning.my_store", "level 30"),
        ("status_message.error.my_store", "level 40"),
        ("status_message.error.my_store", "level 45"),
        ("status_message.critical.my_store", "level 50"),
    ]


def test_it_is_off_by_default(alerts: Alerts) -> None:
    with beside_the_terminal(source(alerts, status_alerts=False)):
        logger.critical("x")
    with beside_the_terminal(Source("watchdog", status_alerts=True)):
        logger.critical("x")
    assert alerts == []


def test_afterwards_nothing_is_sent(alerts: Alerts) -> None:
    before = list(logging.getLogger("dragonfly").handlers)
    with beside_the_terminal(source(alerts)):
        assert len(logging.getLogger("dragonfly").handlers) == len(before) + 1
    assert logging.getLogger("dragonfly").handlers == before


def test_what_the_wire_says_makes_no_alert(alerts: Alerts) -> None:
    with beside_the_terminal(source(alerts)):
        logging.getLogger("dragonfly.core.amqp.publisher").critical("the broker refused an alert")
        logging.getLogger("dragonfly.core.amqp").error("x")
        logging.getLogger("dragonfly.core.amqp_like").error("sent")
    assert [payload for _, payload in alerts] == ["sent"]


def test_a_record_about_a_status_message_makes_none(alerts: Alerts) -> None:
    """A consumer that fails on each of them would never come to an end."""
    with beside_the_terminal(source(alerts)):
        logger.error("consumer failed on the alert %s: ...", "status_message.error.my_store")
    assert alerts == []


def test_other_threads_are_not_kept_from_sending_by_one_that_sends() -> None:
    inside, go_on = threading.Event(), threading.Event()
    sent: list[object] = []

    def send(key: str, payload: object) -> None:
        sent.append(payload)
        if payload == "first":
            inside.set()
            assert go_on.wait(5)

    with beside_the_terminal(Source("my_store", send, True)):
        first = threading.Thread(target=logger.error, args=("first",))
        second = threading.Thread(target=logger.error, args=("second",))
        first.start()
        assert inside.wait(5)
        second.start()
        go_on.set()
        first.join()
        second.join()
    assert sent == ["first", "second"]


def after_the_level(err: str) -> list[str]:
    return [line.partition("] ")[2] for line in err.splitlines()]


@pytest.mark.parametrize("error", [DriplineValueError("too long"), DriplinePayloadError("no JSON")])
def test_an_alert_that_cannot_be_sent_is_one_sentence(
    error: DriplineError, alerts: Alerts, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts.error = error
    with console(0), beside_the_terminal(source(alerts)):
        logger.error("one")
    assert [payload for _, payload in alerts] == ["one"]
    shown, meanwhile, sentence = [line.partition(" -> ")[2] for line in capsys.readouterr().err.splitlines()]
    assert (shown, meanwhile) == ("one", "logged while an alert is sent")
    assert sentence.startswith("what dragonfly.test(")
    assert sentence.endswith(f") logged does not go to amqp: {error}")


def nested() -> list[object]:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("%d is no number", "x", "TypeError: %d format"),
        ("%d is no number", math.inf, "OverflowError: cannot convert float infinity"),
        ("%", "x", "ValueError: incomplete format"),
        ("%(b)s", {"a": 1}, "KeyError: 'b'"),
    ],
)
def test_a_record_that_cannot_be_put_into_words_is_a_sentence_for_each_place(
    text: str, value: object, why: str, alerts: Alerts, capsys: pytest.CaptureFixture[str]
) -> None:
    with console(0), beside_the_terminal(source(alerts)):
        logger.error(text, value)
    assert alerts == []
    on_the_terminal, of_the_alert = capsys.readouterr().err.splitlines()
    assert on_the_terminal.startswith("what dragonfly.test(")
    assert f") logged cannot be shown: {why}" in on_the_terminal
    assert f"logged does not go to amqp: {why.partition(': ')[2]}" in of_the_alert


def test_what_is_nested_too_deeply_for_words_disturbs_nobody(alerts: Alerts) -> None:
    """logging's own handler for the terminal lets a RecursionError through."""
    with beside_the_terminal(source(alerts)):
        for handler in logging.getLogger("dragonfly").handlers:
            if type(handler).__module__.endswith(".amqp"):
                handler.handle(logging.LogRecord("dragonfly.test", 40, __file__, 1, "%s", ([nested()],), None))
    assert alerts == []


def test_a_long_text_is_cut(alerts: Alerts) -> None:
    with beside_the_terminal(source(alerts)):
        logger.error("x" * 100_000)
    assert alerts[0][1] == "x" * 10_000

"""Records as alerts: which, under what key, and never one that makes the next."""

import logging
import threading

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.status_log_handlers import Source, beside_the_terminal

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


@pytest.mark.parametrize("error", [DriplineValueError("too long"), RuntimeError("x")])
def test_an_alert_that_cannot_be_sent_disturbs_nobody(
    error: Exception, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    alerts.error = error
    with beside_the_terminal(source(alerts)):
        logger.error("one")
        logger.error("two")
        logger.error("%d is no number", "x")
    assert [payload for _, payload in alerts] == ["one", "two"]


def test_a_long_text_is_cut(alerts: Alerts) -> None:
    with beside_the_terminal(source(alerts)):
        logger.error("x" * 100_000)
    assert alerts[0][1] == "x" * 10_000

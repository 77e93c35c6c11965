"""What is said of alerts that were given up."""

from __future__ import annotations

import logging

import pytest

from dragonfly.core.amqp.packet import Outcome
from dragonfly.core.amqp.publisher import Publisher
from tests.core.amqp.played import OVER, PlayedConnection, numbers, say


def criticals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]


GIVEN_UP = "alerts were given up: they waited too long for the broker, or too many did"


def test_what_an_outage_cost_is_said_once_with_the_number(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    link.come_up()
    link.go_down()
    for number in range(25):
        say(publisher, "k", str(number))
    link.come_up()
    link.go_down()  # the same outage: it was not over
    say(publisher, "k", "one more")
    channel = link.come_up()
    assert criticals(caplog) == []
    channel.answer()
    link.now += OVER
    link.second()
    assert criticals(caplog) == [f"16 {GIVEN_UP}"]
    link.go_down()
    link.come_up()
    link.now += OVER
    link.second()
    assert len(criticals(caplog)) == 1
    assert numbers(publisher) == (10, 0, 16)


def test_what_was_lost_before_the_first_connection_is_said_when_it_is_there(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(12):
        say(publisher, "k", str(number))
    link.come_up()
    assert criticals(caplog) == [f"2 {GIVEN_UP}"]


def test_an_alert_that_is_not_to_be_kept_counts_as_given_up(link: PlayedConnection, publisher: Publisher) -> None:
    say(publisher, "k", "a", keep=0.0)
    assert numbers(publisher) == (0, 0, 1)


def test_what_is_still_kept_at_the_very_end_is_said(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    link.come_up()
    link.go_down()
    for number in range(3):
        say(publisher, "k", str(number))
    link.go_down(final=True)
    assert criticals(caplog) == [f"3 {GIVEN_UP}"]
    assert numbers(publisher) == (0, 0, 3)


def test_what_nobody_listened_to_until_the_very_end_is_not_said(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    say(publisher, "k", "a")
    channel.answer("k")
    link.go_down(final=True)
    assert criticals(caplog) == []


def test_what_is_said_after_the_very_end_is_told_at_once(link: PlayedConnection, publisher: Publisher) -> None:
    link.come_up()
    link.go_down(final=True)
    ends: list[Outcome] = []
    say(publisher, "k", "a", done=lambda outcome, reason: ends.append(outcome))
    assert ends == [Outcome.LOST]
    assert numbers(publisher) == (0, 0, 1)

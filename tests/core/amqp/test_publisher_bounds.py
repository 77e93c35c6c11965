"""How much is on its way, and what waits meanwhile, on a connection that a test plays."""

from __future__ import annotations

import logging

import pytest

from dragonfly.core.amqp import outgoing_channel
from dragonfly.core.amqp.packet import Outcome
from dragonfly.core.amqp.publisher import Publisher
from tests.core.amqp.played import OVER, PlayedConnection, bodies, numbers, say


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 6 messages be on their way, and 10 alerts wait, as the fixture has it."""
    monkeypatch.setattr(outgoing_channel, "MOST_IN_FLIGHT", 6)


def confirm_all(link: PlayedConnection, most: int = 6) -> None:
    """Confirm one message after the other, until no more come."""
    channel = link.channel
    while channel.answered < len(channel.sent):
        assert len(channel.sent) - channel.answered <= most
        channel.answered += 1
        channel.tell(channel.answered)


def test_alerts_wait_until_less_than_half_is_on_its_way_and_go_in_their_order(
    link: PlayedConnection, publisher: Publisher
) -> None:
    channel = link.come_up()
    for number in range(16):
        say(publisher, "k", f"{number:x}")
    assert bodies(channel) == "012345"
    for tag in range(1, 4):
        channel.tell(tag)
    assert bodies(channel) == "012345"  # 3 are on their way
    channel.tell(4)
    assert bodies(channel) == "0123456789"
    channel.answered = 4
    confirm_all(link)
    assert bodies(channel) == "0123456789abcdef"
    assert numbers(publisher) == (16, 0, 0)


def test_requests_wait_their_turn_behind_those_on_their_way(link: PlayedConnection, publisher: Publisher) -> None:
    channel = link.come_up()
    ends: list[Outcome] = []
    for number in range(10):
        say(publisher, "k", str(number), resend=False, keep=0.0, done=lambda outcome, reason: ends.append(outcome))
    assert bodies(channel) == "012345"
    confirm_all(link)
    assert bodies(channel) == "0123456789"
    assert ends == [Outcome.CONFIRMED] * 10


def test_bytes_that_have_landed_make_room(
    link: PlayedConnection, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing_channel, "MOST_BYTES_IN_FLIGHT", 4)
    channel = link.come_up()
    for number in range(10):
        say(publisher, "k", str(number))
    assert bodies(channel) == "0123"
    confirm_all(link, most=4)
    assert bodies(channel) == "0123456789"


def test_a_full_channel_goes_on_while_alerts_find_out_who_listens(link: PlayedConnection, publisher: Publisher) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    say(publisher, "k", "s")
    channel.answer()  # the key is proven
    for number in range(16):
        say(publisher, "k", f"{number:x}")
    confirm_all(link)
    assert bodies(channel) == "s0123456789abcdef"
    assert numbers(publisher) == (17, 0, 0)


@pytest.mark.parametrize("proven", [True, False], ids=["somebody listens", "the time is over"])
def test_what_waited_for_somebody_who_listens_goes_within_the_bound(
    link: PlayedConnection, publisher: Publisher, proven: bool
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    for number in range(10):
        say(publisher, "k", str(number))
    assert bodies(channel) == "0"
    if proven:
        channel.answer()
    else:
        link.now += OVER
        link.second()
    confirm_all(link)
    assert bodies(channel) == "0123456789"


def test_what_was_given_up_is_said_once_when_all_on_its_way_has_landed(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    link.come_up()
    for number in range(40):
        say(publisher, "k", str(number))
    confirm_all(link)
    criticals = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert criticals == ["24 alerts were given up: they waited too long for the broker, or too many did"]
    assert numbers(publisher) == (16, 0, 24)


def test_a_refused_message_leaves_nothing_behind(link: PlayedConnection, publisher: Publisher) -> None:
    channel = link.come_up()
    for number in range(6):
        say(publisher, "k", str(number), resend=False)
        channel.tell(number + 1, accepted=False)
    assert publisher.unfinished == 0
    assert publisher._returnable == {}
    say(publisher, "k", "on")
    assert bodies(channel).endswith("on")

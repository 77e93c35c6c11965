"""What becomes of alerts, on a connection that a test plays."""

from __future__ import annotations

import pytest

from dragonfly.core.amqp import alert_gate
from dragonfly.core.amqp.packet import Outcome, Outgoing
from dragonfly.core.amqp.publisher import Publisher
from tests.core.amqp.played import OVER, PlayedConnection, bodies, numbers, say


def test_on_the_first_connection_a_returned_alert_is_let_go(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    channel = link.come_up()
    for body in "abc":
        say(publisher, "k", body)
    channel.answer("k")
    assert bodies(channel) == "abc"
    assert channel.mandatory == {True}
    assert numbers(publisher) == (3, 0, 0)
    assert link.timer is None
    assert not caplog.messages


def test_after_a_reconnect_a_returned_alert_is_sent_again_until_somebody_listens(
    link: PlayedConnection, publisher: Publisher
) -> None:
    link.come_up()
    link.go_down()
    for body in "ab":
        say(publisher, "k", body)
    channel = link.come_up()
    assert bodies(channel) == "a"
    channel.answer("k")
    assert numbers(publisher) == (0, 2, 0)
    for _ in range(7):  # more often than a connection may be lost
        link.second()
        channel.answer("k")
    say(publisher, "k", "c")
    assert bodies(channel) == "a" * 8
    link.second()
    channel.answer()
    assert bodies(channel) == "a" * 9 + "bc"
    assert {message_id for _, body, message_id in channel.sent if body == b"a"} == {"id of k a"}
    assert numbers(publisher) == (3, 0, 0)


def test_while_the_broker_takes_no_messages_alerts_wait_in_bounds_and_go_in_order(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    channel = link.come_up()
    say(publisher, "k", "a")
    link.block()
    for number in range(12):
        say(publisher, "k", f"{number:x}")
    assert bodies(channel) == "a"
    assert publisher.tally.kept == 10
    link.unblock()
    channel.answer()
    assert bodies(channel) == "a23456789ab"
    assert numbers(publisher) == (11, 0, 2)
    assert caplog.messages == ["2 alerts were given up: they waited too long for the broker, or too many did"]


def test_what_is_confirmed_during_an_alarm_lets_the_others_of_its_key_wait(
    link: PlayedConnection, publisher: Publisher
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    for body in "abc":
        say(publisher, "k", body)
    link.block()
    say(publisher, "k", "d")
    channel.answer()
    assert bodies(channel) == "a"
    link.unblock()
    channel.answer()
    assert bodies(channel) == "abcd"


def test_another_key_does_not_wait(link: PlayedConnection, publisher: Publisher) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    for body in "ab":
        say(publisher, "k", body)
        say(publisher, "other", body)
    channel.answer("k")
    assert bodies(channel) == "a"
    assert bodies(channel, "other") == "ab"


def test_a_request_does_not_wait(link: PlayedConnection, publisher: Publisher) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    for body in "ab":
        say(publisher, "k", body, resend=False, keep=0.0)
    assert bodies(channel) == "ab"
    channel.answer("k")
    assert publisher.unfinished == 0


def test_when_the_time_is_over_what_waits_goes_and_what_is_returned_is_let_go(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    for body in "abc":
        say(publisher, "k", body)
    channel.answer("k")
    link.now += OVER
    link.second()
    assert bodies(channel) == "aabc"
    channel.answer("k")
    assert numbers(publisher) == (3, 0, 0)
    assert link.timer is None
    assert not caplog.messages


def test_what_waits_when_the_connection_goes_again_is_sent_on_the_next_one_in_order(
    link: PlayedConnection, publisher: Publisher
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    for body in "abc":
        say(publisher, "k", body)
    channel.answer("k")
    link.second()  # a is on its way
    link.go_down()
    say(publisher, "k", "d")
    assert publisher.tally.kept == 4
    channel = link.come_up()
    assert bodies(channel) == "a"
    channel.answer()
    assert bodies(channel) == "abcd"


def test_what_waits_when_the_channel_goes_is_sent_on_the_next_one_in_order(
    link: PlayedConnection, publisher: Publisher
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    say(publisher, "bad", "x" * 7)
    for body in "abc":
        say(publisher, "k", body)
    channel.close(
        channel,
        type("Reason", (), {"reply_code": 406, "reply_text": "PRECONDITION_FAILED - message size 7 is too large"})(),
    )
    assert link.channel is not channel
    link.channel.answer()
    assert bodies(link.channel) == "abc"
    assert numbers(publisher) == (3, 0, 1)


def test_after_a_reconnect_alerts_wait_until_everybody_is_back_or_until_the_end(
    link: PlayedConnection, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_gate, "HOLD_SECONDS", 2.0)
    link.come_up()
    link.go_down()
    say(publisher, "k", "a")
    channel = link.come_up()
    say(publisher, "k", "b")
    link.second()
    assert bodies(channel) == ""
    link.second()
    assert bodies(channel) == "a"
    channel.answer()
    assert bodies(channel) == "ab"
    link.go_down()
    channel = link.come_up()
    say(publisher, "k", "c")
    assert bodies(channel) == ""
    publisher.let_go()
    assert bodies(channel) == "c"


def test_a_scout_that_the_broker_refuses_is_followed_by_the_next(
    link: PlayedConnection, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    link.come_up()
    link.go_down()
    channel = link.come_up()
    ends: list[Outcome] = []
    say(publisher, "k", "a", done=lambda outcome, reason: ends.append(outcome))
    say(publisher, "k", "b")
    channel.tell(1, accepted=False)
    assert ends == [Outcome.REFUSED]
    assert "the broker refused k: the broker could not take the message" in caplog.messages
    link.second()
    assert bodies(channel) == "ab"
    assert publisher.tally.dropped == 1


def test_where_an_exchange_is_gone_nobody_can_tell_what_became_of_requests_in_flight(
    link: PlayedConnection, publisher: Publisher
) -> None:
    """The first ones may have been routed before it went: published again, they would run twice."""
    channel = link.come_up()
    ends: list[Outcome] = []
    for body in "ab":
        request = Outgoing("requests", "k", body.encode(), done=lambda outcome, reason: ends.append(outcome))
        publisher.submit(request)
    say(publisher, "k", "alert")
    text = "NOT_FOUND - no exchange 'requests' in vhost '/'"
    channel.close(channel, type("Reason", (), {"reply_code": 404, "reply_text": text})())
    assert ends == [Outcome.LOST, Outcome.LOST]
    assert bodies(link.channel) == "alert"


def test_a_request_that_nobody_waits_for_any_more_is_not_sent_on_the_next_connection(
    link: PlayedConnection, publisher: Publisher
) -> None:
    link.come_up()
    publisher._channel = None  # it is being opened again
    kept, given_up = (Outgoing("requests", "k", body, keep=60.0) for body in (b"kept", b"given up"))
    for request in (kept, given_up):
        publisher.submit(request)
    given_up.cancelled = True
    link.go_down()
    assert bodies(link.come_up()) == "kept"


def test_what_was_held_to_the_very_end_is_counted_as_lost(
    link: PlayedConnection, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_gate, "HOLD_SECONDS", 5.0)
    link.come_up()
    link.go_down()
    link.come_up()
    for body in "abc":
        say(publisher, "k", body)
    link.go_down(final=True)
    assert numbers(publisher) == (0, 0, 3)

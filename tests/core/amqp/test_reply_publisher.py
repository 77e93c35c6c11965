"""What becomes of replies, on a connection that a test plays."""

from __future__ import annotations

from typing import Any

import pytest

from dragonfly.core.amqp import outgoing_channel
from dragonfly.core.amqp.packet import Outcome, Outgoing
from dragonfly.core.amqp.reply_publisher import ReplyPublisher
from tests.core.amqp.played import PlayedChannel, PlayedConnection

FORBIDDEN = "ACCESS_REFUSED - write access to topic '{}' in exchange 'requests' in vhost '/' refused for user 'guest'"


class Replies:
    """Replies on their way, and what became of them."""

    def __init__(self, link: PlayedConnection) -> None:
        made: Any = link
        self.publisher = ReplyPublisher(made, made)
        self.ends: dict[str, Outcome] = {}

    def say(self, *keys: str, keep: float = 60.0) -> None:
        for key in keys:

            def done(outcome: Outcome, _reason: str, key: str = key) -> None:
                assert key not in self.ends
                self.ends[key] = outcome

            self.publisher.submit(Outgoing("requests", key, b"{}", keep=keep, done=done))


@pytest.fixture
def replies(link: PlayedConnection) -> Replies:
    return Replies(link)


def keys(channel: PlayedChannel) -> list[str]:
    return [key for key, _, _ in channel.sent]


def refuse(channel: PlayedChannel, key: str) -> None:
    reason = type("Reason", (), {"reply_code": 403, "reply_text": FORBIDDEN.format(key)})()
    channel.close(channel, reason)


def test_replies_are_in_flight_until_the_mark_that_follows_them(link: PlayedConnection, replies: Replies) -> None:
    channel = link.come_up()
    replies.say("a", "b")
    assert replies.ends == {}
    link.second()
    ((sent, mark),) = channel.marks
    assert sent == 2
    replies.say("c")
    mark(None)
    assert replies.ends == {"a": Outcome.CONFIRMED, "b": Outcome.CONFIRMED}
    assert replies.publisher.unfinished == 1
    link.second()
    channel.marks[1][1](None)
    assert replies.publisher.unfinished == 0
    link.second()
    assert len(channel.marks) == 2


def test_many_replies_have_a_mark_at_once_and_only_one_at_a_time(link: PlayedConnection, replies: Replies) -> None:
    channel = link.come_up()
    replies.say(*map(str, range(1200)))
    assert [sent for sent, _ in channel.marks] == [500]
    channel.marks[0][1](None)
    assert [sent for sent, _ in channel.marks] == [500, 1200]
    channel.marks[1][1](None)
    assert replies.publisher.unfinished == 0


def test_a_refused_reply_fails_alone_and_what_was_after_it_goes_out_again(
    link: PlayedConnection, replies: Replies
) -> None:
    channel = link.come_up()
    replies.say("a", "forbidden", "b", "c")
    refuse(channel, "forbidden")
    assert replies.ends == {"a": Outcome.CONFIRMED, "forbidden": Outcome.REFUSED}
    assert keys(link.channel) == ["b", "c"]
    link.second()
    link.channel.marks[0][1](None)
    assert replies.ends["b"] is replies.ends["c"] is Outcome.CONFIRMED


def test_a_mark_of_a_channel_that_was_closed_says_nothing_about_the_next(
    link: PlayedConnection, replies: Replies
) -> None:
    channel = link.come_up()
    replies.say("forbidden", "a")
    link.second()
    refuse(channel, "forbidden")
    link.second()
    assert len(link.channel.marks) == 1
    channel.marks[0][1](None)
    assert "a" not in replies.ends
    link.channel.marks[0][1](None)
    assert replies.ends["a"] is Outcome.CONFIRMED


def test_who_waits_for_the_end_has_a_mark_at_once(link: PlayedConnection, replies: Replies) -> None:
    channel = link.come_up()
    replies.say("a")
    replies.publisher.settle()
    assert [sent for sent, _ in channel.marks] == [1]
    channel.marks[0][1](None)
    replies.publisher.settle()
    assert len(channel.marks) == 1


def test_replies_in_flight_are_lost_with_the_connection_and_the_others_wait(
    link: PlayedConnection, replies: Replies
) -> None:
    link.come_up()
    replies.say("a")
    link.go_down()
    assert replies.ends == {"a": Outcome.LOST}
    replies.say("b")
    replies.say("impatient", keep=0.0)
    assert replies.ends["impatient"] is Outcome.LOST
    assert keys(link.come_up()) == ["b"]


def test_what_is_on_its_way_is_bounded_and_goes_on_when_it_is_less_than_half_of_that(
    link: PlayedConnection, replies: Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing_channel, "MOST_IN_FLIGHT", 10)
    channel = link.come_up()
    replies.say(*map(str, range(4)))
    link.second()
    replies.say(*map(str, range(4, 30)))
    assert len(channel.sent) == 10
    assert replies.publisher.unfinished == 30
    channel.marks[0][1](None)
    assert len(channel.sent) == 10  # 6 are on their way, which is no room
    while replies.publisher.unfinished:
        link.second()
        channel.marks[-1][1](None)
        assert len(channel.sent) - len(replies.ends) <= 10
    assert keys(channel) == [*map(str, range(30))]


def test_what_is_on_its_way_is_bounded_in_bytes(
    link: PlayedConnection, replies: Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing_channel, "MOST_BYTES_IN_FLIGHT", 6)
    channel = link.come_up()
    replies.say("a", "b", "c", "d")
    assert keys(channel) == ["a", "b", "c"]
    link.second()
    channel.marks[0][1](None)
    assert keys(channel) == ["a", "b", "c", "d"]


def test_what_was_on_its_way_counts_no_more_when_the_connection_is_lost(
    link: PlayedConnection, replies: Replies, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outgoing_channel, "MOST_BYTES_IN_FLIGHT", 6)
    link.come_up()
    replies.say("a", "b", "c")
    link.go_down()
    channel = link.come_up()
    assert caplog.messages == ["3 replies may be lost: the connection ended, or they waited too long for the broker"]
    replies.say("d", "e", "f")
    assert keys(channel) == ["d", "e", "f"]


def test_at_the_very_end_what_was_not_yet_handed_over_is_told(link: PlayedConnection, replies: Replies) -> None:
    link.come_up()
    replies.publisher._flush_scheduled = True  # the thread of the connection is busy
    replies.say("a")
    link.go_down(final=True)
    assert replies.ends == {"a": Outcome.LOST}
    assert replies.publisher.unfinished == 0


def test_at_the_very_end_what_waits_is_told(link: PlayedConnection, replies: Replies) -> None:
    link.come_up()
    link.block()
    replies.say("a")
    assert replies.publisher.unfinished == 1
    link.go_down(final=True)
    assert replies.ends == {"a": Outcome.LOST}
    assert replies.publisher.unfinished == 0

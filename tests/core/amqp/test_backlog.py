"""What is kept while there is no connection."""

import pytest

from dragonfly.core.amqp.backlog import Backlog
from dragonfly.core.amqp.packet import Outcome, Outgoing

Ends = list[tuple[str, Outcome, str]]


@pytest.fixture
def ends() -> Ends:
    """What became of the messages, in the order in which they ended."""
    return []


def message(name: str, ends: Ends, keep: float = 60.0, age: float = 0.0) -> Outgoing:
    outgoing = Outgoing(
        "alerts", name, b"", keep=keep, done=lambda outcome, reason: ends.append((name, outcome, reason))
    )
    outgoing.made -= age
    return outgoing


def names(backlog: Backlog) -> list[str]:
    taken = []
    while (outgoing := backlog.take()) is not None:
        taken.append(outgoing.routing_key)
    return taken


def test_an_empty_backlog_gives_none() -> None:
    backlog = Backlog(3)
    assert backlog.take() is None
    assert (len(backlog), backlog.dropped) == (0, 0)


def test_messages_come_out_in_their_order(ends: Ends) -> None:
    backlog = Backlog(3)
    for name in "abc":
        backlog.add(message(name, ends))
    assert len(backlog) == 3
    assert names(backlog) == ["a", "b", "c"]
    assert (len(backlog), backlog.dropped, ends) == (0, 0, [])


def test_of_too_many_the_oldest_goes_and_is_told(ends: Ends) -> None:
    backlog = Backlog(2)
    for name in "abcd":
        backlog.add(message(name, ends))
    too_many = "too many messages waited for the broker"
    assert ends == [("a", Outcome.LOST, too_many), ("b", Outcome.LOST, too_many)]
    assert (len(backlog), backlog.dropped) == (2, 2)
    assert names(backlog) == ["c", "d"]


def test_what_was_sent_and_not_confirmed_goes_before_all_others_in_its_order(ends: Ends) -> None:
    backlog = Backlog(5)
    backlog.add(message("c", ends))
    backlog.put_back(message(name, ends) for name in "ab")
    assert names(backlog) == ["a", "b", "c"]


def test_of_what_is_put_back_the_oldest_goes_too(ends: Ends) -> None:
    backlog = Backlog(2)
    backlog.add(message("c", ends))
    backlog.put_back([message("a", ends), message("b", ends)])
    assert [name for name, _, _ in ends] == ["a"]
    assert names(backlog) == ["b", "c"]


def test_what_waited_too_long_is_passed_over_and_told(ends: Ends) -> None:
    backlog = Backlog(5)
    backlog.add(message("old", ends, keep=10, age=10.5))
    backlog.add(message("young", ends, keep=10, age=9.0))
    backlog.add(message("short", ends, keep=1, age=2.0))
    assert names(backlog) == ["young"]
    too_long = "it waited too long for the broker"
    assert ends == [("old", Outcome.LOST, too_long), ("short", Outcome.LOST, too_long)]
    assert backlog.dropped == 2


def test_what_is_not_to_be_kept_is_lost(ends: Ends) -> None:
    backlog = Backlog(5)
    backlog.add(message("now", ends, keep=0, age=0.001))
    assert backlog.take() is None
    assert [name for name, _, _ in ends] == ["now"]


def test_a_backlog_of_nothing_keeps_nothing(ends: Ends) -> None:
    backlog = Backlog(0)
    backlog.add(message("a", ends))
    backlog.put_back([message("b", ends)])
    assert (len(backlog), backlog.dropped, backlog.take()) == (0, 2, None)
    assert [name for name, _, _ in ends] == ["a", "b"]


def test_what_was_taken_is_not_the_backlogs_any_more(ends: Ends) -> None:
    backlog = Backlog(1)
    backlog.add(message("a", ends))
    taken = backlog.take()
    backlog.add(message("b", ends))
    assert ends == []
    assert taken is not None and taken.routing_key == "a"

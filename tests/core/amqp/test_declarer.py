"""What the broker refuses is told to whoever declared it, and a missing exchange is waited for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dragonfly.core.amqp.declarer import Declarer
from tests.core.amqp.played import PlayedConnection

MISSING = (404, "NOT_FOUND - no exchange 'requests' in vhost '/'")
FORBIDDEN = (403, "ACCESS_REFUSED - access to exchange 'requests' in vhost '/' refused for user 'alice'")
LOCKED = (405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'")


class DeclaringChannel:
    """A channel that writes down what is declared on it; as in pika, one at a time, the others wait behind it."""

    def __init__(self) -> None:
        self.is_open = True
        self.declared: list[str] = []
        self._answers: list[Callable[[Any], None]] = []

    def add_on_close_callback(self, action: Callable[[Any, Any], None]) -> None:
        self._tell_closed = action

    def exchange_declare(
        self, exchange: str, _kind: str, passive: bool, callback: Callable[[Any], None] | None = None
    ) -> None:
        self.declared.append(f"{exchange}?" if passive else exchange)
        if callback is not None:
            self._answers.append(callback)

    def queue_declare(self, queue: str, callback: Callable[[Any], None]) -> None:
        self.declared.append(queue)
        self._answers.append(callback)

    def answer(self) -> None:
        self._answers.pop(0)(None)

    def refuse(self, reason: tuple[int, str]) -> None:
        self.is_open = False
        self._tell_closed(self, SimpleNamespace(reply_code=reason[0], reply_text=reason[1]))


class Link(PlayedConnection):
    """A connection whose channels declare."""

    def __init__(self) -> None:
        super().__init__()
        self.address = SimpleNamespace(display="lab")
        self.channels: list[DeclaringChannel] = []

    def open_channel(self, then: Callable[[Any], None]) -> None:
        assert self.is_up, "pika raises where the connection is about to close"
        self.channels.append(DeclaringChannel())
        then(self.channels[-1])

    @property
    def last(self) -> DeclaringChannel:
        return self.channels[-1]


@pytest.fixture
def line() -> Link:
    return Link()


@pytest.fixture
def told() -> list[str]:
    """Give the sentences that say that the exchanges are refused, and what was ready."""
    return []


@pytest.fixture
def declarer(line: Link, told: list[str]) -> Declarer:
    made: Any = line
    declarer = Declarer(made)
    declarer.on_ready.append(lambda: told.append("ready"))
    declarer.on_refused.append(told.append)
    return declarer


def come_up_passively(line: Link) -> None:
    line.come_up()
    line.last.refuse(FORBIDDEN)
    assert line.last.declared[:2] == ["requests?", "alerts?"]


def declare(declarer: Declarer, queue: str, got: list[Any]) -> None:
    """Declare a queue, and write down its name when it is there, or the code where it is refused."""

    def made(_frame: Any) -> None:
        done()
        got.append(queue)

    done = declarer.declare(
        lambda channel: channel.queue_declare(queue, callback=made), lambda code, _text: got.append((queue, code))
    )


def test_an_exchange_that_is_deleted_is_waited_for_where_it_may_not_be_made(
    line: Link, declarer: Declarer, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    come_up_passively(line)
    line.last.answer()
    declarer.declare_exchanges()
    for _ in range(3):
        line.last.refuse(MISSING)
        opened = len(line.channels)
        line.second()
        assert len(line.channels) == opened + 1
        assert line.last.declared == ["requests", "alerts"], "somebody may have allowed it meanwhile"
        line.last.refuse(FORBIDDEN)
        assert line.last.declared == ["requests?", "alerts?"]
        assert not declarer.is_ready
    line.last.answer()
    assert declarer.is_ready
    assert told == ["ready", "ready"]
    assert caplog.messages == [f"broker lab: {MISSING[1]}; waiting until it is made again"]


def test_a_broker_that_comes_back_without_exchanges_is_waited_for(
    line: Link, declarer: Declarer, told: list[str]
) -> None:
    come_up_passively(line)
    line.last.answer()
    line.go_down()
    line.come_up()
    line.last.refuse(MISSING)
    line.second()
    line.last.refuse(FORBIDDEN)
    line.last.answer()
    assert told == ["ready", "ready"]


def test_who_never_had_the_exchanges_is_told_once_that_there_are_none_and_has_them_when_they_come(
    line: Link, declarer: Declarer, told: list[str]
) -> None:
    come_up_passively(line)
    for _ in range(2):
        line.last.refuse(MISSING)
        assert told == [MISSING[1]]
        opened = len(line.channels)
        line.second()
        assert len(line.channels) == opened + 1
        line.last.refuse(FORBIDDEN)
    line.last.answer()
    assert told == [MISSING[1], "ready"]


def test_exchanges_that_one_may_not_even_look_for_are_refused_for_good(
    line: Link, declarer: Declarer, told: list[str]
) -> None:
    got: list[Any] = []
    come_up_passively(line)
    declare(declarer, "mine", got)
    line.last.refuse(FORBIDDEN)
    line.second()
    assert told == [FORBIDDEN[1]]
    assert got == [("mine", 403)], "whoever waits for the exchanges hears of it"
    assert len(line.channels) == 2


def test_a_pause_that_a_lost_connection_ends_opens_nothing_on_the_next_one(line: Link, declarer: Declarer) -> None:
    come_up_passively(line)
    line.last.refuse(MISSING)
    line.go_down()
    line.come_up()
    opened = len(line.channels)
    line.second()
    assert len(line.channels) == opened


@pytest.mark.parametrize("reason", [MISSING, LOCKED])
def test_a_queue_that_is_refused_while_the_exchanges_are_declared_again_is_told_so(
    line: Link, declarer: Declarer, told: list[str], reason: tuple[int, str]
) -> None:
    got: list[Any] = []
    line.come_up()
    line.last.answer()
    declare(declarer, "mine", got)
    declarer.declare_exchanges()
    line.last.refuse(reason)
    assert (got, told) == ([("mine", reason[0])], ["ready"])
    assert line.last.declared == ["requests", "alerts"]
    line.last.answer()
    assert told == ["ready", "ready"]


def test_what_waited_behind_a_refused_declaration_is_done_on_the_next_channel(line: Link, declarer: Declarer) -> None:
    got: list[Any] = []
    line.come_up()
    declare(declarer, "mine", got)
    line.last.refuse(FORBIDDEN)
    assert got == [], "the exchanges were forbidden, not the queue"
    line.last.answer()
    declare(declarer, "other", got)
    line.last.refuse(LOCKED)
    assert got == [("mine", 405)]
    assert line.last.declared == ["other"]
    line.last.answer()
    assert got == [("mine", 405), "other"]


def test_what_is_bound_again_many_times_while_an_exchange_is_away_is_bound_once(line: Link, declarer: Declarer) -> None:
    come_up_passively(line)
    line.last.answer()
    declarer.declare_exchanges()
    line.last.refuse(MISSING)
    got: list[int] = []

    def refused(code: int, _text: str) -> None:
        got.append(code)

    for _ in range(100):
        declarer.declare(lambda channel: channel.queue_declare("mine", callback=lambda frame: None), refused)
    line.second()
    assert line.last.declared == ["requests", "alerts", "mine"]


def test_who_ends_the_connection_since_he_is_refused_opens_no_channel_on_it(line: Link, declarer: Declarer) -> None:
    line.come_up()
    line.last.answer()

    def drop(_code: int, _text: str) -> None:
        line.is_up = False

    declarer.declare(lambda channel: channel.queue_declare("mine", callback=lambda frame: None), drop)
    line.last.refuse(LOCKED)
    assert len(line.channels) == 1


def test_another_try_comes_after_a_pause_and_with_the_exchanges_on_the_same_connection(
    line: Link, declarer: Declarer
) -> None:
    got: list[str] = []
    line.come_up()
    declarer.again(lambda: got.append("first"))
    line.second()
    assert got == [], "the exchanges are not there yet"
    line.last.answer()
    line.second()
    assert got == ["first"]
    declarer.again(lambda: got.append("second"))
    line.go_down()
    line.come_up()
    line.last.answer()
    line.second()
    assert got == ["first"]

"""get --watch: a line per change, what a failed reading is, and how it ends."""

import logging
import types
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineDecodingError,
    DriplineTimeoutError,
)
from dragonfly.core.message import ReplyMessage
from dragonfly.core.waker import SLICE_SECONDS
from dragonfly.subcommands import pause
from dragonfly.subcommands import watch as watch_module
from dragonfly.subcommands.watch import watch


class Clock:
    """A clock that moves only while the verb waits, and by as much as a question takes."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds <= SLICE_SECONDS  # for longer, a signal could remain unseen
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (watch_module, pause):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(pause, "threading", types.SimpleNamespace(Event=lambda: clock))
    return clock


def asking(answers: Iterable[Any], before: Callable[[], None] = lambda: None) -> Callable[[], ReplyMessage]:
    left = iter(answers)

    def ask() -> ReplyMessage:
        before()
        answer = next(left, KeyboardInterrupt())
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, ReplyMessage) else ReplyMessage({"values": [answer]})

    return ask


def seen(answers: Iterable[Any], interval: float = 1.0) -> list[Any]:
    shown: list[ReplyMessage] = []
    assert watch(interval, asking(answers), shown.append) == 0
    return [(reply.retcode, reply.payload["values"][0]) for reply in shown]


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        ([], []),
        ([1], [1]),
        ([1, 1, 1], [1]),
        ([1, 2, 2, 1], [1, 2, 1]),
        ([None, None, 0], [None, 0]),
    ],
)
def test_the_first_value_is_a_line_and_each_change(answers: list[Any], lines: list[Any]) -> None:
    assert seen(answers) == [(0, value) for value in lines]


def test_a_reading_that_fails_is_a_line_and_so_is_the_next_that_does_not() -> None:
    failed = ReplyMessage({"values": [None]}, retcode=200, return_msg="no instrument")
    lost = DriplineTimeoutError("no reply")
    assert seen([1, failed, failed, 1, lost, lost, DriplineDecodingError("what"), 1]) == [
        (0, 1),
        (200, None),
        (0, 1),
        (lost.retcode, None),
        (DriplineDecodingError("x").retcode, None),
        (0, 1),
    ]


def test_another_text_is_a_change() -> None:
    texts = ["no instrument", "no instrument", "no power"]
    failures = [ReplyMessage({"values": [None]}, retcode=200, return_msg=text) for text in texts]
    assert seen(failures) == [(200, None)] * 2


def test_a_broker_that_goes_is_one_sentence_for_each_outage(caplog: pytest.LogCaptureFixture) -> None:
    away = DriplineAMQPConnectionError("the connection was lost")
    assert seen([1, away, away, away, 1, 2, away, away, 2]) == [(0, 1), (0, 2)]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["the connection was lost; it goes on when the broker is back"] * 2


def test_a_broker_that_was_never_there_is_an_error() -> None:
    with pytest.raises(DriplineAMQPConnectionError):
        seen([DriplineAMQPConnectionError("nothing there")])


def test_questions_are_asked_at_fixed_times_and_the_missed_ones_left_out(clock: Clock) -> None:
    taken = iter([0.25, 0.0, 2.5, 0.125, 0.0])
    asked: list[float] = []

    def take() -> None:
        asked.append(clock.now)
        clock.now += next(taken, 0.0)

    watch(1.0, asking([1, 1, 1, 1, 1], take), lambda reply: None)
    assert asked == [100.0, 101.0, 102.0, 105.0, 106.0, 107.0]

"""Waiting for a time, in pieces that are short enough for a signal; time passes as the test says."""

import types

import pytest

from dragonfly.core.waker import SLICE_SECONDS
from dragonfly.subcommands import pause
from dragonfly.subcommands.pause import pause_until


class Clock:
    """A clock that moves only while something waits, and then by as much as was asked for."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pause, "time", types.SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(pause, "threading", types.SimpleNamespace(Event=lambda: clock))
    return clock


@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.0, 3600.0])
def test_it_ends_when_the_time_has_come(seconds: float, clock: Clock) -> None:
    pause_until(100.0 + seconds)
    assert clock.now == 100.0 + seconds


def test_no_wait_is_so_long_that_a_signal_before_it_seems_lost(clock: Clock) -> None:
    pause_until(3700.25)
    assert max(clock.waits) == SLICE_SECONDS


@pytest.mark.parametrize("due", [100.0, 99.0])
def test_a_time_that_has_passed_is_not_waited_for(due: float, clock: Clock) -> None:
    pause_until(due)
    assert clock.waits == []

"""Things to do later, each on its lane."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineHardwareError, DriplineStoppingError, DriplineValueError
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.lane_timer import call_later
from dragonfly.testing.clock import ManualClock
from tests.waiting import wait_until


class Tight:
    """A lane of a few waiting actions, a pool of few threads, and a clock that is moved by hand."""

    def __init__(self, max_threads: int = 2, limit: int = 10) -> None:
        self.clock = ManualClock()
        self.pool = LanePool("pool", max_threads)
        self.lane = Lane("oven", self.pool, limit)
        self.gate = threading.Event()
        self.done: list[str] = []

    def later(self, seconds: float, name: str) -> Callable[[], None]:
        return call_later(self.clock, seconds, lambda: self.done.append(name), self.lane)

    def block(self, lane: Lane | None = None) -> None:
        """Have a lane wait for the gate."""
        entered = threading.Event()

        def wait() -> None:
            entered.set()
            self.gate.wait(10)

        (lane or self.lane).put(wait, lambda reason: None)
        assert entered.wait(5)

    def rest(self) -> None:
        assert wait_until(lambda: self.lane.is_idle)


@pytest.fixture
def tight() -> Iterator[Tight]:
    """Give a lane with all that belongs to it."""
    tight = Tight()
    yield tight
    tight.gate.set()
    tight.pool.stop(5)


def test_it_is_done_on_the_lane_at_its_time(tight: Tight) -> None:
    on: list[Lane | None] = []
    call_later(tight.clock, 5, lambda: on.append(Lane.current()), tight.lane)
    tight.clock.advance(4.9)
    tight.rest()
    assert on == []
    tight.clock.advance(0.1)
    tight.rest()
    assert on == [tight.lane]


def test_it_waits_for_what_the_lane_does(tight: Tight) -> None:
    tight.block()
    tight.later(5, "a")
    tight.clock.advance(10)
    assert (tight.done, tight.lane.depth) == ([], 1)
    tight.gate.set()
    assert wait_until(lambda: tight.done == ["a"])


@pytest.mark.parametrize("passed", [0, 5])
def test_what_was_cancelled_is_not_done_even_where_it_is_queued(tight: Tight, passed: float) -> None:
    tight.block()
    cancel = tight.later(5, "a")
    tight.clock.advance(passed)
    cancel()
    cancel()
    tight.gate.set()
    tight.clock.advance(10)
    tight.rest()
    assert tight.done == []


def test_a_full_lane_is_tried_again_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    tight = Tight(limit=1)
    tight.block()
    tight.later(1, "first")
    tight.later(1, "second")
    with caplog.at_level(logging.INFO):
        tight.clock.advance(5)
    assert caplog.messages == ["what is due on oven has to wait: oven has 1 requests waiting already"]
    assert tight.done == []
    tight.gate.set()
    assert wait_until(lambda: tight.done == ["first"])
    tight.clock.advance(1)
    assert wait_until(lambda: tight.done == ["first", "second"])
    tight.pool.stop(5)


def test_a_full_pool_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tight = Tight(max_threads=1)
    tight.block(Lane("other", tight.pool))
    tight.later(1, "a")
    tight.clock.advance(3)
    assert caplog.messages == ["what is due on oven has to wait: all 1 threads of pool are at work"]
    tight.gate.set()

    def is_done() -> bool:
        tight.clock.advance(1)
        return tight.done == ["a"]

    assert wait_until(is_done)
    tight.rest()
    tight.pool.stop(5)


def test_what_was_refused_can_be_cancelled() -> None:
    tight = Tight(max_threads=1)
    tight.block(Lane("other", tight.pool))
    cancel = tight.later(1, "a")
    tight.clock.advance(3)
    cancel()
    tight.gate.set()
    tight.clock.advance(3)
    tight.pool.stop(5)
    assert tight.done == []


def test_where_the_service_stops_it_is_not_tried_again(tight: Tight, caplog: pytest.LogCaptureFixture) -> None:
    tight.block()
    tight.later(1, "a")
    tight.clock.advance(1)
    tight.lane.discard(DriplineStoppingError("the service is shutting down"))
    tight.gate.set()
    tight.clock.advance(10)
    tight.rest()
    assert (tight.done, caplog.messages) == ([], [])


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words for it")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DriplineHardwareError("no answer"), "no answer"),
        (OSError("gone"), "OSError: gone"),
        (MuteError(), "MuteError"),
        (SystemExit("enough"), "SystemExit: enough"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_raises_is_said_and_the_lane_goes_on(
    tight: Tight, caplog: pytest.LogCaptureFixture, error: BaseException, text: str
) -> None:
    def action() -> None:
        raise error

    call_later(tight.clock, 1, action, tight.lane)
    tight.later(2, "next")
    tight.clock.advance(2)
    assert wait_until(lambda: tight.done == ["next"])
    tight.rest()
    assert [record.levelname for record in caplog.records if record.levelno > logging.DEBUG] == ["ERROR"]
    assert caplog.messages[0].startswith(f"oven: what was to be done later failed: {text}")


@pytest.mark.parametrize("seconds", [float("nan"), None, "5", True])
def test_a_time_that_is_none_is_refused_and_the_clock_goes_on(tight: Tight, seconds: Any) -> None:
    with pytest.raises(DriplineValueError, match="oven: a time in seconds was expected, not "):
        tight.later(seconds, "a")
    tight.later(1, "b")
    tight.clock.advance(1)
    tight.rest()
    assert tight.done == ["b"]

"""One thread that does things later."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from dragonfly.core.timer import Timer
from tests.waiting import wait_until

# How late an action may be on a busy machine, s.
LATE = 0.5


@pytest.fixture
def timer() -> Iterator[Timer]:
    """Give a timer that runs."""
    timer = Timer()
    timer.start()
    yield timer
    timer.stop()


def test_each_is_done_at_its_time_and_in_the_order_of_their_times(timer: Timer) -> None:
    done: list[tuple[float, float]] = []
    began = time.monotonic()
    delays = (0.15, 0.0, 0.1, 0.05, -1.0)
    for delay in delays:
        timer.call_later(delay, lambda delay=delay: done.append((delay, time.monotonic() - began)))  # type: ignore
    assert wait_until(lambda: len(done) == len(delays))
    assert [delay for delay, _ in done if delay > 0] == [0.05, 0.1, 0.15]
    assert all(delay <= at < delay + LATE for delay, at in done if delay >= 0)


def test_of_the_same_time_the_older_one_comes_first() -> None:
    timer, done = Timer(clock=lambda: 0.0), []
    for number in range(100):
        timer.call_later(0, lambda number=number: done.append(number))  # type: ignore[misc]
    timer.start()
    assert wait_until(lambda: len(done) == 100)
    timer.stop()
    assert done == list(range(100))


def test_an_earlier_one_overtakes_one_that_is_waited_for(timer: Timer) -> None:
    done = threading.Event()
    timer.call_later(1000, lambda: None)
    timer.call_later(0.01, done.set)
    assert done.wait(5)


@pytest.mark.parametrize("seconds", [1e10, 1e300, float("inf")])
def test_one_that_is_due_in_ages_does_not_end_the_others(timer: Timer, seconds: float) -> None:
    done = threading.Event()
    timer.call_later(seconds, lambda: None)
    assert not done.wait(0.02)  # it is waited for
    timer.call_later(0.01, done.set)
    assert done.wait(5)


def test_what_was_cancelled_is_not_done(timer: Timer) -> None:
    done: list[str] = []
    cancel = timer.call_later(0.02, lambda: done.append("cancelled"))
    timer.call_later(0.04, lambda: done.append("kept"))
    cancel()
    cancel()
    assert wait_until(lambda: bool(done))
    assert done == ["kept"]


def test_to_cancel_what_was_done_does_nothing(timer: Timer) -> None:
    done = threading.Event()
    cancel = timer.call_later(0, done.set)
    assert done.wait(5)
    cancel()
    done.clear()
    timer.call_later(0, done.set)
    assert done.wait(5)


def test_what_was_cancelled_does_not_stay_in_memory(timer: Timer) -> None:
    for _ in range(10_000):
        timer.call_later(1000, lambda: None)()
    assert len(timer._entries) < 200


def test_those_that_remain_keep_their_order_when_the_cancelled_ones_are_cleared_away() -> None:
    now = [0.0]
    timer, done = Timer(clock=lambda: now[0]), []
    cancels: list[Callable[[], None]] = []
    for number in range(1000):
        entered = timer.call_later(1000 - number, lambda number=number: done.append(number))  # type: ignore[misc]
        cancels.append(entered)
    for number, cancel in enumerate(cancels):
        if number % 10:
            cancel()
    now[0] = 2000
    timer.start()
    assert wait_until(lambda: len(done) == 100)
    timer.stop()
    assert done == list(range(990, -1, -10))


def test_what_was_done_is_not_kept_alive(timer: Timer) -> None:
    class Thing:
        def act(self) -> None:
            done.set()

    done = threading.Event()
    thing = Thing()
    seen = weakref.ref(thing)
    timer.call_later(0, thing.act)
    del thing
    assert done.wait(5)

    def is_gone() -> bool:
        gc.collect()
        return seen() is None

    assert wait_until(is_gone)


def test_an_action_may_enter_the_next_one(timer: Timer) -> None:
    done = threading.Event()
    count = [0]

    def action() -> None:
        count[0] += 1
        if count[0] == 5:
            done.set()
        else:
            timer.call_later(0.001, action)

    timer.call_later(0, action)
    assert done.wait(5)


def test_after_a_stop_nothing_is_done_and_the_thread_has_ended() -> None:
    timer, done = Timer(), []
    timer.start()
    timer.call_later(0.05, lambda: done.append("late"))
    timer.stop()
    timer.call_later(0, lambda: done.append("later"))
    assert not any(thread.name == "timer" for thread in threading.enumerate())
    assert done == []


def test_a_timer_that_was_never_started_can_be_stopped() -> None:
    Timer().stop()


def test_what_several_threads_enter_is_all_done(timer: Timer) -> None:
    done: list[int] = []

    def enter(first: int) -> None:
        for number in range(first, first + 250):
            timer.call_later(0.001 * (number % 7), lambda number=number: done.append(number))  # type: ignore[misc]

    threads = [threading.Thread(target=enter, args=(first,)) for first in range(0, 2000, 250)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wait_until(lambda: len(done) == 2000)
    assert sorted(done) == list(range(2000))

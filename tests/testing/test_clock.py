"""The clock that a test moves: what is due is done in order, at its own time, and has come to rest."""

import threading
from collections.abc import Callable

import pytest

from dragonfly.testing import ManualClock

Done = list[tuple[float, str]]


@pytest.fixture
def done() -> Done:
    """Give a list of what was done, and when."""
    return []


def noting(clock: ManualClock, done: Done, what: str) -> Callable[[], None]:
    return lambda: done.append((clock.now(), what))


def test_time_stands_still_until_it_is_moved(clock: ManualClock) -> None:
    clock.start()
    assert clock.now() == clock.now() == 0.0
    clock.advance(2.5)
    clock.advance(0)
    assert clock.now() == 2.5


def test_what_is_due_is_done_in_the_order_of_its_times_and_at_them(clock: ManualClock, done: Done) -> None:
    clock.call_later(3.0, noting(clock, done, "third"))
    clock.call_later(1.0, noting(clock, done, "first"))
    clock.call_later(1.0, noting(clock, done, "second"))
    clock.call_later(9.0, noting(clock, done, "not yet"))
    clock.advance(5.0)
    assert done == [(1.0, "first"), (1.0, "second"), (3.0, "third")]
    assert clock.now() == 5.0
    clock.advance(4.0)
    assert done[-1] == (9.0, "not yet")


def test_what_an_action_enters_is_done_in_the_same_advance(clock: ManualClock, done: Done) -> None:
    def tick() -> None:
        done.append((clock.now(), "tick"))
        clock.call_later(10.0, tick)

    clock.call_later(0.0, tick)
    clock.advance(35.0)
    assert [moment for moment, _ in done] == [0.0, 10.0, 20.0, 30.0]


def test_what_was_cancelled_is_not_done(clock: ManualClock, done: Done) -> None:
    cancel = clock.call_later(1.0, noting(clock, done, "cancelled"))
    clock.call_later(0.5, cancel)
    clock.advance(2.0)
    cancel()
    assert done == []


def test_sums_of_floats_do_not_make_an_action_late(clock: ManualClock, done: Done) -> None:
    clock.call_later(0.8, noting(clock, done, "due"))
    clock.advance(0.1)
    clock.advance(0.7)
    assert len(done) == 1


def test_after_each_action_it_waits_for_rest(clock: ManualClock) -> None:
    order: list[str] = []
    clock.settle_with(lambda: order.append("rest"))
    clock.call_later(1.0, lambda: order.append("one"))
    clock.call_later(2.0, lambda: order.append("two"))
    clock.advance(3.0)
    assert order == ["rest", "one", "rest", "two", "rest"]


def test_what_another_thread_enters_before_the_rest_is_done_too(clock: ManualClock, done: Done) -> None:
    threads: list[threading.Thread] = []

    def work() -> None:
        thread = threading.Thread(target=lambda: clock.call_later(1.0, noting(clock, done, "follows")))
        threads.append(thread)
        thread.start()

    clock.settle_with(lambda: [thread.join() for thread in threads] and None)
    clock.call_later(1.0, work)
    clock.advance(2.0)
    assert done == [(2.0, "follows")]


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_it_goes_forward_only(clock: ManualClock, seconds: float) -> None:
    with pytest.raises(ValueError, match="a clock goes forward"):
        clock.advance(seconds)


def test_an_action_cannot_move_it(clock: ManualClock) -> None:
    clock.call_later(1.0, lambda: clock.advance(1.0))
    with pytest.raises(RuntimeError, match="an action cannot move it"):
        clock.advance(2.0)
    clock.advance(1.0)
    assert clock.now() == 2.0


def test_an_action_that_enters_itself_at_once_for_ever_is_told(clock: ManualClock) -> None:
    def again() -> None:
        clock.call_later(0.0, again)

    again()
    with pytest.raises(RuntimeError, match="does one enter itself with no delay"):
        clock.advance(1.0)


def test_stop_forgets_what_was_to_be_done(clock: ManualClock, done: Done) -> None:
    clock.call_later(1.0, noting(clock, done, "forgotten"))
    clock.stop()
    clock.advance(2.0)
    assert done == []


def test_a_service_that_stops_takes_its_own_actions_only(clock: ManualClock, done: Done) -> None:
    one, other = clock.share(), clock.share()
    one.start()
    one.call_later(1.0, noting(clock, done, "one"))
    cancel = other.call_later(1.0, noting(clock, done, "other"))
    other.call_later(2.0, noting(clock, done, "last"))
    one.stop()
    clock.advance(1.0)
    assert done == [(1.0, "other")]
    assert other.now() == 1.0
    cancel()
    clock.advance(1.0)
    assert done[-1] == (2.0, "last")

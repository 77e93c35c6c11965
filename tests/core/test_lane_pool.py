"""The threads that lanes share: how many there are, whom they refuse, and their end."""

import threading
import time
from collections.abc import Callable

import pytest

from dragonfly.core import lane as module
from dragonfly.core.exceptions import DriplineBusyError, DriplineError
from dragonfly.core.lane import Action, Lane, LanePool
from tests.core.lanes import PATIENCE, Gate, never, put_when_a_thread_is_free, threads_of_the_pool, wait_until_idle
from tests.waiting import wait_until

MakePool = Callable[..., LanePool]


def test_a_full_pool_refuses_and_the_lane_goes_on_when_a_thread_is_free(make_pool: MakePool) -> None:
    pool = make_pool(max_threads=1)
    busy, other = Lane("busy", pool), Lane("other", pool)
    done = threading.Event()
    with Gate() as gate:
        busy.put(gate, never)
        assert gate.begun.wait(PATIENCE)
        for _ in range(2):
            with pytest.raises(DriplineBusyError, match="^all 1 threads of test lane are at work$"):
                other.put(done.set, never)
        assert (other.depth, other.is_idle, done.is_set()) == (0, True, False)
    assert gate.ended.wait(PATIENCE)
    put_when_a_thread_is_free(other, done.set)
    assert done.wait(PATIENCE)


def test_a_lane_that_is_idle_is_never_refused_the_only_thread(make_pool: MakePool) -> None:
    pool = make_pool(max_threads=1)
    lanes = [Lane("supply", pool), Lane("gauge", pool)]
    for number in range(2_000):
        lanes[number % 2].put(int, never)
        deadline = time.monotonic() + PATIENCE
        while not lanes[number % 2].is_idle:
            assert time.monotonic() < deadline


def test_what_others_put_while_the_pool_refuses_is_refused_too() -> None:
    told: list[tuple[str, DriplineError]] = []

    class FullPool(LanePool):
        def run(self, job: Callable[[], None]) -> None:
            lane.put(lambda: None, lambda reason: told.append(("other", reason)))
            raise DriplineBusyError("all threads are at work")

    lane = Lane("supply", FullPool("test lane"))
    with pytest.raises(DriplineBusyError) as caught:
        lane.put(lambda: None, lambda reason: told.append(("own", reason)))
    assert told == [("other", caught.value)]
    assert (lane.depth, lane.is_idle) == (0, True)


def test_a_system_without_threads_left_is_busy_and_the_lane_goes_on_afterwards(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lane = Lane("supply", make_pool())
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(DriplineBusyError):
            lane.put(int, never)
    wait_until_idle(lane)


def test_threads_end_when_they_are_idle_and_come_back(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    pool = make_pool()
    lanes = [Lane(f"lane {number}", pool) for number in range(3)]
    for _ in range(3):
        meeting = threading.Barrier(4)
        for lane in lanes:
            lane.put(lambda meeting=meeting: meeting.wait(PATIENCE) and None, never)
        assert len(threads_of_the_pool()) == 3
        meeting.wait(PATIENCE)
        for thread in threads_of_the_pool():
            thread.join(PATIENCE)
        assert threads_of_the_pool() == []


def test_no_work_is_lost_while_threads_end(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.0)
    lane = Lane("supply", make_pool())
    for _ in range(500):
        wait_until_idle(lane)


def test_a_thread_that_ends_is_counted_no_more_once_it_takes_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    counted: list[tuple[int, int]] = []

    class WatchedPool(LanePool):
        def _next(self) -> Action | None:
            job = super()._next()
            if job is None:
                counted.append((self._idle, len(self._threads)))
            return job

    pool = WatchedPool("test lane", max_threads=1)
    pool.run(pool.give_back)
    assert wait_until(lambda: bool(counted))
    assert counted == [(0, 0)]


def test_an_idle_lane_holds_no_thread_that_another_could_use(make_pool: MakePool) -> None:
    pool = make_pool(max_threads=2)
    for number in range(50):
        lane, done = Lane(f"lane {number}", pool), threading.Event()
        put_when_a_thread_is_free(lane, done.set)
        assert done.wait(PATIENCE)
    assert 1 <= len(threads_of_the_pool()) <= 2


def test_stop_ends_the_threads() -> None:
    pool = LanePool("test lane")
    wait_until_idle(Lane("supply", pool))
    assert threads_of_the_pool() != []
    assert pool.stop(PATIENCE) is True
    assert threads_of_the_pool() == []


def test_stop_of_a_pool_that_never_worked_is_done_at_once() -> None:
    assert LanePool("test lane").stop(0.0) is True


def test_stop_says_when_a_handler_hangs_and_does_not_wait_longer_than_told() -> None:
    pool = LanePool("test lane")
    with Gate() as gate:
        Lane("supply", pool).put(gate, never)
        assert gate.begun.wait(PATIENCE)
        assert pool.stop(0.05) is False
        assert all(thread.daemon for thread in threads_of_the_pool())
    assert pool.stop(PATIENCE) is True


def test_stop_lets_what_waits_run_first() -> None:
    pool = LanePool("test lane")
    lane, done = Lane("supply", pool), []
    with Gate() as gate:
        lane.put(gate, never)
        lane.put(lambda: done.append(1), never)
    assert pool.stop(PATIENCE) is True
    assert done == [1]

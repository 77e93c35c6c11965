"""Serial executors over one growing pool of threads."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dragonfly.core import lane as module
from dragonfly.core.exceptions import DriplineBusyError, DriplineError, DriplineStoppingError
from dragonfly.core.lane import Lane, LanePool

PATIENCE = 5.0

MakePool = Callable[..., LanePool]


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    pools: list[LanePool] = []

    def make(*args: Any, **kwargs: Any) -> LanePool:
        pools.append(LanePool("test lane", *args, **kwargs))
        return pools[-1]

    yield make
    for pool in pools:
        assert pool.stop(PATIENCE)


class Gate:
    """An action that says when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.ended = threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        self.ended.set()

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *exc: object) -> None:
        self.may_end.set()


def never(reason: DriplineError) -> None:
    raise AssertionError(f"refused: {reason}")


def threads_of_the_pool() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("test lane")]


def wait_until_idle(lane: Lane) -> None:
    """Let what was put run to its end: an action of ours is the last."""
    done = threading.Event()
    lane.put(done.set, never)
    assert done.wait(PATIENCE)


def test_what_is_put_runs_in_that_order_one_at_a_time(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool())
    order: list[int] = []
    overlaps: list[int] = []
    running = threading.Lock()

    def action(number: int) -> None:
        if not running.acquire(blocking=False):
            overlaps.append(number)
            return
        order.append(number)
        running.release()

    for number in range(1000):
        lane.put(lambda number=number: action(number), never)
    wait_until_idle(lane)
    assert order == list(range(1000))
    assert overlaps == []


def test_what_several_threads_put_runs_one_at_a_time_and_all_of_it(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool())
    running = threading.Lock()
    done: list[tuple[int, int]] = []
    overlaps: list[int] = []

    def action(source: int, number: int) -> None:
        if not running.acquire(blocking=False):
            overlaps.append(number)
            return
        done.append((source, number))
        running.release()

    def put_all(source: int) -> None:
        for number in range(200):
            lane.put(lambda number=number: action(source, number), never)

    sources = [threading.Thread(target=put_all, args=(source,)) for source in range(4)]
    for thread in sources:
        thread.start()
    for thread in sources:
        thread.join(PATIENCE)
    wait_until_idle(lane)
    assert overlaps == []
    for source in range(4):
        assert [number for from_, number in done if from_ == source] == list(range(200))


def test_several_lanes_run_at_the_same_time(make_pool: MakePool) -> None:
    pool = make_pool()
    meeting = threading.Barrier(5)
    for number in range(4):
        Lane(f"lane {number}", pool).put(lambda: meeting.wait(PATIENCE) and None, never)
    meeting.wait(PATIENCE)


def test_a_lane_that_hangs_delays_no_other(make_pool: MakePool) -> None:
    pool = make_pool()
    hung, other = Lane("hung", pool), Lane("other", pool)
    with Gate() as gate:
        hung.put(gate, never)
        assert gate.begun.wait(PATIENCE)
        wait_until_idle(other)
        assert not hung.is_idle


def test_an_action_may_put_the_next(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool())
    done = threading.Event()
    lane.put(lambda: lane.put(done.set, never), never)
    assert done.wait(PATIENCE)


def test_a_lane_says_how_much_waits(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool())
    assert (lane.depth, lane.is_idle) == (0, True)
    with Gate() as gate:
        lane.put(gate, never)
        assert gate.begun.wait(PATIENCE)
        assert (lane.depth, lane.is_idle) == (0, False)
        lane.put(int, never)
        lane.put(int, never)
        assert (lane.depth, lane.is_idle) == (2, False)
    wait_until_idle(lane)
    assert lane.depth == 0


def test_a_full_lane_refuses_and_goes_on_afterwards(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool(), limit=2)
    done: list[str] = []
    emptied = threading.Event()
    with Gate() as gate:
        lane.put(gate, never)
        assert gate.begun.wait(PATIENCE)
        lane.put(lambda: done.append("first"), never)
        lane.put(lambda: done.append("second") or emptied.set(), never)
        for _ in range(2):
            with pytest.raises(DriplineBusyError, match="^supply has 2 requests waiting already$") as caught:
                lane.put(lambda: done.append("refused"), never)
            assert caught.value.retcode == 320
        assert lane.depth == 2
    assert emptied.wait(PATIENCE)
    lane.put(lambda: done.append("third"), never)
    wait_until_idle(lane)
    assert done == ["first", "second", "third"]


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


def put_when_a_thread_is_free(lane: Lane, action: Callable[[], None]) -> None:
    """Put an action; a thread whose work has just ended is counted as free a moment later."""
    for _ in range(1_000_000):
        try:
            lane.put(action, never)
        except DriplineBusyError:
            continue
        return
    pytest.fail("no thread became free")


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


def test_discard_tells_all_that_wait_and_leaves_what_runs(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool())
    reason = DriplineStoppingError("the service is shutting down")
    told: list[tuple[int, DriplineError]] = []
    with Gate() as gate:
        lane.put(gate, never)
        assert gate.begun.wait(PATIENCE)
        for number in range(3):
            lane.put(lambda: pytest.fail("it ran"), lambda reason, number=number: told.append((number, reason)))
        lane.discard(reason)
        assert told == [(0, reason), (1, reason), (2, reason)]
        assert (lane.depth, lane.is_idle) == (0, False)
    assert gate.ended.wait(PATIENCE)
    wait_until_idle(lane)


def test_discard_of_an_empty_lane_does_nothing(make_pool: MakePool) -> None:
    lane = Lane("supply", make_pool())
    lane.discard(DriplineStoppingError("stop"))
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

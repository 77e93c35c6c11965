"""Serial executors: what is put on a lane runs in order, or is refused."""

import threading
from collections.abc import Callable

import pytest

from dragonfly.core.exceptions import DriplineBusyError, DriplineError, DriplineStoppingError
from dragonfly.core.lane import Lane, LanePool
from tests.core.lanes import PATIENCE, Gate, never, wait_until_idle

MakePool = Callable[..., LanePool]


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

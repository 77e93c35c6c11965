"""The calls of a config file: each on its lane, in order, and none that nobody wants any more."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dragonfly.core.call_runner import CallRunner
from dragonfly.core.calls import Call, checked_calls
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, DriplineNoActionWarning
from dragonfly.core.lane import Lane, LanePool

TIMEOUT = 5.0


class Heater(Endpoint):
    """Writes down what it is set to; 'wait' takes as long as the test wants."""

    def __init__(self, name: str, raises: BaseException | None = None) -> None:
        super().__init__(name)
        self._raises = raises
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.sets: list[Any] = []

    def on_set(self, value: Any) -> None:
        if value == "wait":
            self.entered.set()
            assert self.go_on.wait(10)
        self.sets.append(value)
        if self._raises is not None:
            raise self._raises


class Furnace:
    """Two heaters, each on its lane."""

    def __init__(self, pool: LanePool, raises: BaseException | None = None) -> None:
        self.left, self.right = Heater("left", raises), Heater("right")
        self.lanes = {heater.name: Lane(heater.name, pool) for heater in (self.left, self.right)}
        self.runner = CallRunner({heater.name: (heater, self.lanes[heater.name]) for heater in (self.left, self.right)})


@pytest.fixture
def pool() -> Iterator[LanePool]:
    pool = LanePool("test", 8)
    yield pool
    assert pool.stop(5.0)


def sets(*pairs: tuple[str, Any]) -> list[Call]:
    return checked_calls("setup_calls", [{"target": name, "method": "set", "args": value} for name, value in pairs])


def never() -> bool:
    return False


def test_calls_run_in_their_order(pool: LanePool) -> None:
    furnace = Furnace(pool)
    assert furnace.runner.run(sets(("left", 1), ("right", 2), ("left", 3)), TIMEOUT, never) == []
    assert (furnace.left.sets, furnace.right.sets) == ([1, 3], [2])


def test_a_remark_is_no_failure(pool: LanePool) -> None:
    furnace = Furnace(pool, DriplineNoActionWarning("it was there already"))
    assert furnace.runner.run(sets(("left", 1)), TIMEOUT, never) == []


@pytest.mark.parametrize("retcode", [None, "5"])
def test_an_error_without_a_code_is_a_failure_and_the_lane_lives_on(pool: LanePool, retcode: Any) -> None:
    error = DriplineError("own")
    error.retcode = retcode
    furnace = Furnace(pool, error)
    [failure] = furnace.runner.run(sets(("left", 1)), TIMEOUT, never)
    assert failure == "setup_calls[0]: left could not be called: own"
    furnace.runner.run(sets(("left", 2)), TIMEOUT, never)
    assert furnace.left.sets == [1, 2]


def test_after_a_stop_was_asked_for_no_further_call_begins(pool: LanePool) -> None:
    furnace = Furnace(pool)
    asked = threading.Event()
    failures: list[str] = []

    def run() -> None:
        calls = sets(("left", "wait"), ("right", 2), ("left", 3))
        failures.extend(furnace.runner.run(calls, TIMEOUT, asked.is_set))

    running = threading.Thread(target=run)
    running.start()
    assert furnace.left.entered.wait(10)
    asked.set()
    running.join(10)
    furnace.left.go_on.set()
    assert failures == ["setup_calls[0]: left could not be called: it has not ended within 5 s"]
    assert pool.stop(5.0)
    assert (furnace.left.sets, furnace.right.sets) == (["wait"], [])


def test_a_call_that_waits_for_its_lane_does_not_begin_after_a_stop_was_asked_for(pool: LanePool) -> None:
    furnace = Furnace(pool)
    asked = threading.Event()
    blocked, go_on = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        assert go_on.wait(10)

    furnace.lanes["left"].put(block, lambda reason: None)
    assert blocked.wait(10)

    def hurried() -> bool:
        # Asked first when the call is put, then when its turn has come.
        return asked.is_set() if threading.current_thread() is not running else False

    running = threading.Thread(target=lambda: furnace.runner.run(sets(("left", 1)), 1.0, hurried))
    running.start()
    asked.set()
    go_on.set()
    running.join(10)
    assert furnace.left.sets == []

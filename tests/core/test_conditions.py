"""Telling all endpoints a condition, each on its lane."""

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dragonfly.core.conditions import set_conditions
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineHardwareError, DriplineStoppingError, DriplineValueError, DriplineWarning
from dragonfly.core.lane import Lane, LanePool
from tests.waiting import wait_until

LONG = 10.0


class Told(Endpoint):
    """Writes down what it is told, and on which lane."""

    def __init__(self, does: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._does = does
        self._told: list[tuple[int, Any]] = []

    def on_set_condition(self, condition: int) -> Any:
        self._told.append((condition, Lane.current()))
        return self._does() if callable(self._does) else self._does


class Original(Endpoint):
    """As classes of the original are written."""

    def _set_condition(self, number: int) -> str:
        return f"{self.name} is in {number}"


class Static(Endpoint):
    """No method of the object at all."""

    @staticmethod
    def on_set_condition(condition: int) -> int:
        return 2 * condition


class Other(Endpoint):
    """What only looks like it."""

    _set_condition = 5


@pytest.fixture
def pool() -> Iterator[LanePool]:
    pool = LanePool("test", 8)
    yield pool
    assert pool.stop(5.0)


def routes(pool: LanePool, *endpoints: Endpoint) -> dict[str, tuple[Endpoint, Lane]]:
    return {endpoint.name: (endpoint, Lane(endpoint.name, pool)) for endpoint in endpoints}


def tell(where: Mapping[str, tuple[Endpoint, Lane]], condition: Any = 7, patience: float = LONG) -> dict[str, Any]:
    return set_conditions(where, condition, time.monotonic() + patience)


def entry(retcode: int = 0, return_msg: str = "", result: Any = None) -> dict[str, Any]:
    return {"retcode": retcode, "return_msg": return_msg, "result": result}


def test_each_that_has_a_hook_is_told_on_its_lane_and_answers(pool: LanePool) -> None:
    told = Told(name="told", does="done")
    where = routes(pool, told, Endpoint(name="deaf"), Original(name="old"), Static(name="static"), Other(name="other"))
    answers = tell(where)
    assert answers == {"told": entry(result="done"), "old": entry(result="old is in 7"), "static": entry(result=14)}
    assert list(answers["told"]) == ["retcode", "return_msg", "result"]
    assert told._told == [(7, where["told"][1])]


def test_where_nobody_wants_to_know_nothing_is_answered(pool: LanePool) -> None:
    assert tell(routes(pool, Endpoint(name="deaf"))) == {}


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words for it")


def raising(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("does", "answer"),
    [
        (raising(ZeroDivisionError("by zero")), entry(999, "ZeroDivisionError: by zero")),
        (raising(DriplineHardwareError("no answer", result={"volts": 5})), entry(200, "no answer", {"volts": 5})),
        (raising(DriplineWarning("as it was", result=[1])), entry(0, "as it was", [1])),
        (raising(DriplineHardwareError("no answer", result=object())), entry(200, "no answer")),
        (raising(SystemExit(3)), entry(999, "SystemExit: 3")),
        (raising(AttributeError("no such thing")), entry(999, "AttributeError: no such thing")),
        (raising(MuteError()), entry(999, "MuteError")),
    ],
)
def test_one_that_raises_keeps_the_others_from_nothing(pool: LanePool, does: Any, answer: dict[str, Any]) -> None:
    where = routes(pool, Told(name="bad", does=does), Told(name="good"))
    assert tell(where) == {"bad": answer, "good": entry()}
    assert tell(where) == {"bad": answer, "good": entry()}


@pytest.mark.parametrize("result", [object(), {1, 2}, {"deep": [object()]}])
def test_an_answer_that_cannot_be_sent_takes_no_other_away(pool: LanePool, result: Any) -> None:
    answers = tell(routes(pool, Told(name="bad", does=lambda: result), Told(name="good", does=1)))
    assert answers["good"] == entry(result=1)
    assert (answers["bad"]["retcode"], answers["bad"]["result"]) == (303, None)
    assert "cannot be carried by JSON" in answers["bad"]["return_msg"]


@pytest.mark.parametrize("condition", ["7", 7.0, None, True, [7]])
def test_a_condition_that_is_no_whole_number_is_304_and_told_to_nobody(pool: LanePool, condition: Any) -> None:
    told = Told(name="told")
    with pytest.raises(DriplineValueError, match="a condition is a whole number, not "):
        tell(routes(pool, told), condition)
    assert told._told == []


def test_one_that_hangs_costs_the_others_nothing_and_is_told_apart(pool: LanePool) -> None:
    gate = threading.Event()
    where = routes(pool, Told(name="hung", does=gate.wait), Told(name="good"))
    try:
        answers = tell(where, patience=0.2)
    finally:
        gate.set()
    assert answers == {"hung": entry(305, "it did not answer in time"), "good": entry()}


def test_what_has_not_begun_in_time_does_not_begin(pool: LanePool) -> None:
    gate, told = threading.Event(), Told(name="told")
    where = routes(pool, told)
    lane = where["told"][1]
    lane.put(lambda: bool(gate.wait(LONG)), lambda reason: None)
    try:
        assert tell(where, patience=0.1)["told"]["retcode"] == 305
    finally:
        gate.set()
    assert wait_until(lambda: lane.is_idle)
    assert told._told == []


def test_the_service_itself_is_told_on_the_lane_that_asks(pool: LanePool) -> None:
    told = Told(name="service")
    where = routes(pool, told, Told(name="other"))
    answers: list[Any] = []
    where["service"][1].put(lambda: answers.append(tell(where)), lambda reason: None)
    assert wait_until(lambda: bool(answers))
    assert answers == [{"service": entry(), "other": entry()}]


def test_a_lane_that_is_full_or_empties_is_an_answer(pool: LanePool) -> None:
    gate = threading.Event()
    full, stopping = Lane("full", pool, 0), Lane("stopping", pool)
    where = {"full": (Told(name="full"), full), "stopping": (Told(name="stopping"), stopping)}
    stopping.put(lambda: bool(gate.wait(LONG)), lambda reason: None)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(tell(where)))
    asking.start()
    assert wait_until(lambda: stopping.depth == 1)
    stopping.discard(DriplineStoppingError("it ends"))
    asking.join()
    gate.set()
    assert answers[0]["full"]["retcode"] == 320
    assert answers[0]["stopping"] == entry(321, "it ends")

"""What is done when the mesh is away for too long."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.calls import BrokerLost, Call, checked_calls
from dragonfly.core.outage import Outage
from dragonfly.testing.clock import ManualClock
from tests.waiting import wait_until

CALLS = checked_calls("on_broker_lost", [{"target": "heater", "method": "set", "args": 0}])
LOST = BrokerLost(60.0, CALLS)


class Lab:
    """An outage, its clock, and what it calls."""

    def __init__(self, lost: BrokerLost | None = LOST) -> None:
        self.clock = ManualClock()
        self.called: list[list[Call]] = []
        self.go_on = threading.Event()
        self.outage = Outage("lab", lost, self.clock.call_later, self._call)

    def _call(self, calls: list[Call]) -> None:
        self.called.append(calls)
        assert self.go_on.wait(10)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.go_on.set()
    return lab


def never() -> bool:
    return False


def always() -> bool:
    return True


def test_it_calls_once_when_its_time_is_over(lab: Lab) -> None:
    lab.outage.begin()
    lab.outage.begin()  # each try to connect says so
    lab.clock.advance(59.9)
    assert lab.called == []
    lab.clock.advance(600)
    assert wait_until(lambda: lab.called == [CALLS])


def test_an_outage_that_ended_calls_nothing_and_the_next_one_counts_afresh(lab: Lab) -> None:
    lab.outage.begin()
    lab.clock.advance(50)
    lab.outage.end()
    lab.outage.begin()
    lab.clock.advance(50)
    assert lab.called == []
    lab.clock.advance(10)
    assert wait_until(lambda: lab.called == [CALLS])


def test_without_the_key_nothing_is_done() -> None:
    lab = Lab(None)
    lab.outage.begin()
    lab.clock.advance(1e6)
    assert lab.called == []


@pytest.mark.parametrize(("timeout", "hurried"), [(0.0, never), (10.0, always)])
def test_a_stop_waits_for_calls_that_are_under_way_as_long_as_it_may(
    timeout: float, hurried: Callable[[], bool]
) -> None:
    lab = Lab()
    lab.outage.begin()
    lab.clock.advance(60)
    assert wait_until(lambda: lab.called == [CALLS])
    lab.outage.finish(timeout, hurried)
    calling: Any = lab.outage._calling
    assert calling.is_alive()
    lab.go_on.set()
    lab.outage.finish(10.0, never)
    assert not calling.is_alive()


def test_where_nothing_is_under_way_a_stop_does_not_wait(lab: Lab) -> None:
    lab.outage.finish(10.0, never)
    assert lab.called == []

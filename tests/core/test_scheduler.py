"""A periodic action: when it runs, and what does not stop it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.exceptions import (
    DriplineInternalError,
    DriplineValueError,
)
from tests.core.pinger import LOGGER, Pinger, pinger
from tests.stub_service import StubService


def test_it_does_nothing_until_it_is_switched_on() -> None:
    endpoint, service = pinger()
    service.clock.advance(1000)
    assert (endpoint._times, endpoint.schedule_status) == ([], False)


def test_switched_on_it_acts_at_once_and_then_at_its_interval() -> None:
    endpoint, service = pinger()
    service.clock.advance(3)
    endpoint.switch("on")
    assert endpoint.schedule_status is True
    service.clock.advance(35)
    assert endpoint._times == [3, 13, 23, 33]


def test_it_can_be_told_to_begin_later() -> None:
    endpoint, service = pinger()
    endpoint.switch("on", delay=4)
    service.clock.advance(20)
    assert endpoint._times == [4, 14]


def test_off_ends_it_at_once_even_where_an_action_is_due() -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    endpoint.switch("off")
    service.clock.advance(100)
    assert (endpoint._times, endpoint.schedule_status) == ([], False)
    endpoint.switch("off")
    assert endpoint.schedule_status is False


def test_what_is_switched_off_leaves_nothing_with_the_clock() -> None:
    endpoint, service = pinger()
    for _ in range(3):
        endpoint.switch("on")
        endpoint.switch("restart")
        endpoint.switch("off")
    assert [entry for entry in service.clock._entries if entry.action is not None] == []


def test_switched_on_twice_it_acts_once() -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    service.clock.advance(5)
    endpoint.switch("on")
    endpoint.switch("on", delay=1)
    service.clock.advance(15)
    assert endpoint._times == [0, 10, 20]


def test_a_restart_acts_at_once_and_counts_from_then() -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    service.clock.advance(15)
    endpoint.switch("restart")
    service.clock.advance(12)
    assert endpoint._times == [0, 10, 15, 25]


def test_a_restart_switches_on_what_is_off() -> None:
    endpoint, service = pinger()
    endpoint.switch("restart")
    service.clock.advance(10)
    assert endpoint._times == [0, 10]


def test_off_and_on_begins_anew() -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    service.clock.advance(13)
    endpoint.switch("off")
    service.clock.advance(1)
    endpoint.switch("on")
    service.clock.advance(10)
    assert endpoint._times == [0, 10, 14, 24]


def test_an_action_that_is_queued_when_it_is_switched_off_is_not_run() -> None:
    endpoint, service = pinger()
    queued: list[Callable[[], None]] = []
    service.call_later = lambda seconds, action, endpoint=None: queued.append(action) or (lambda: None)  # type: ignore
    endpoint.switch("on")
    endpoint.switch("off")
    endpoint.switch("on")
    for action in list(queued):  # as a lane does what it had begun to do before the cancel
        action()
    assert len(queued) == 3, "two first actions and what follows the one that was meant"
    assert endpoint._times == [0]


@pytest.mark.parametrize(
    ("after", "interval", "times"),
    [
        # it counts from the last action, at 20
        (2, 5, [0, 10, 20, 25, 30]),
        (2, 30, [0, 10, 20, 50]),
        (2, 10, [0, 10, 20, 30]),
        # what would be over already comes at once
        (7, 5, [0, 10, 20, 27, 32]),
        (9, 0.5, [0, 10, 20, 29, 29.5]),
    ],
)
def test_a_changed_interval_takes_effect_at_once(after: float, interval: float, times: list[float]) -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    service.clock.advance(20 + after)
    endpoint.schedule_interval = interval
    service.clock.advance(30)
    assert endpoint._times[: len(times)] == times
    assert endpoint.schedule_status is True


def test_an_interval_of_0_switches_off_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    service.clock.advance(12)
    with caplog.at_level(logging.INFO, LOGGER):
        endpoint.schedule_interval = 0
    service.clock.advance(100)
    assert (endpoint._times, endpoint.schedule_status) == ([0, 10], False)
    assert caplog.messages == ["pinger: schedule_interval is 0, which switches it off"]
    endpoint.schedule_interval = 5
    service.clock.advance(100)
    assert endpoint._times == [0, 10], "it stays off until somebody switches it on"


def test_an_interval_that_is_set_while_it_is_off_switches_nothing_on() -> None:
    endpoint, service = pinger()
    endpoint.schedule_interval = 1
    service.clock.advance(10)
    assert (endpoint._times, endpoint.schedule_status) == ([], False)


def test_an_action_may_change_its_own_interval_and_switch_itself_off() -> None:
    endpoint, service = pinger()

    def slow_down() -> None:
        endpoint.schedule_interval = 20
        if len(endpoint._times) == 3:
            endpoint.switch("off")

    endpoint._then = slow_down
    endpoint.switch("on")
    service.clock.advance(100)
    assert endpoint._times == [0, 20, 40]
    assert endpoint.schedule_status is False


def test_an_action_may_restart_itself() -> None:
    endpoint, service = pinger()
    endpoint._then = lambda: endpoint.switch("restart") if len(endpoint._times) == 1 else None
    endpoint.switch("on")
    service.clock.advance(10)
    assert endpoint._times == [0, 0, 10]


@pytest.mark.parametrize("interval", [0, 0.0])
@pytest.mark.parametrize("status", ["on", "restart"])
def test_without_an_interval_it_cannot_be_switched_on(interval: float, status: str) -> None:
    endpoint, service = pinger(interval)
    with pytest.raises(DriplineValueError, match="^schedule_interval must be above 0 seconds to switch it on$"):
        endpoint.switch(status)
    service.clock.advance(100)
    assert (endpoint._times, endpoint.schedule_status) == ([], False)


def test_outside_of_a_service_it_cannot_be_switched_on() -> None:
    endpoint = Pinger(name="pinger")
    with pytest.raises(DriplineValueError, match="^it is in no service, which would be its clock$"):
        endpoint.switch("on")
    assert endpoint.schedule_status is False


def test_a_service_that_is_not_on_the_mesh_yet_leaves_it_off() -> None:
    endpoint, service = pinger()

    def not_yet(*args: Any, **kwargs: Any) -> Any:
        raise DriplineInternalError("pinger is not on the mesh yet, and has no clock before")

    service.call_later = not_yet  # type: ignore[method-assign]
    with pytest.raises(DriplineInternalError, match="^pinger is not on the mesh yet"):
        endpoint.switch("on")
    assert endpoint.schedule_status is False


class Lane:
    """The lane of one endpoint, which a test holds up: what falls due meanwhile waits."""

    def __init__(self, service: StubService) -> None:
        self._waiting: list[Callable[[], None]] = []
        self._is_held = False
        service.call_later = lambda seconds, action, endpoint=None: service.clock.call_later(  # type: ignore
            seconds, lambda: self._put(action)
        )

    def hold(self) -> None:
        self._is_held = True

    def let_go(self) -> None:
        self._is_held = False
        while self._waiting:
            self._waiting.pop(0)()

    def _put(self, action: Callable[[], None]) -> None:
        self._waiting.append(action)
        if not self._is_held:
            self.let_go()


@pytest.mark.parametrize(
    ("held_until", "times"),
    [
        (14, [0, 14, 20, 30]),  # late, and the next one at its own time
        (19.9, [0, 19.9, 20, 30]),
        (25, [0, 25, 30, 40]),  # one was missed: it is not made up for
        (47, [0, 47, 50, 60]),
        (1000.5, [0, 1000.5, 1010]),
    ],
)
def test_one_that_comes_late_is_not_run_twice_and_does_not_drift(held_until: float, times: list[float]) -> None:
    endpoint, service = pinger()
    lane = Lane(service)
    endpoint.switch("on")
    service.clock.advance(9)
    lane.hold()
    service.clock.advance(held_until - 9)
    lane.let_go()
    service.clock.advance(20)
    assert endpoint._times[: len(times)] == times


def test_an_action_that_takes_longer_than_its_interval_does_not_drift() -> None:
    endpoint, service = pinger()

    def take_long() -> None:
        service.clock._now += 13  # an action cannot advance the clock by which it is run

    endpoint._then = take_long
    endpoint.switch("on")
    service.clock.advance(85)
    assert endpoint._times == [0, 20, 40, 60, 80]


def test_an_hour_of_a_tenth_of_a_second_does_not_drift() -> None:
    endpoint, service = pinger(0.1)
    endpoint.switch("on")
    service.clock.advance(3600)
    assert len(endpoint._times) == 36_001
    assert endpoint._times[-1] == pytest.approx(3600, abs=1e-6)

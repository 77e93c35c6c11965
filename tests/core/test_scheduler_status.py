"""Switching periodic actions on and off, one or several, over the mesh."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_GET, OP_SET
from dragonfly.core.exceptions import (
    DriplineMethodNotSupportedError,
    DriplineValueError,
)
from dragonfly.core.scheduler import checked_status, switch_all
from tests.core.pinger import Pinger, pinger
from tests.stub_service import StubService

WORDS = [("on", True), ("start", True), ("restart", True), ("off", False), ("stop", False)]
WORDS += [(word.upper(), status) for word, status in WORDS]
STATUSES: list[tuple[Any, bool]] = [*WORDS, ("true", True), ("false", False), (True, True), (False, False)]
NONSENSE: list[Any] = ["", "yes", "no", "onn", " on", "o n", "1", "0", 1, 0, 1.0, None, [], ["on"], {}, {"on": True}]


@pytest.mark.parametrize(("word", "status"), STATUSES)
@pytest.mark.parametrize("before", [False, True])
def test_a_word_over_the_mesh_switches_it(word: Any, status: bool, before: bool) -> None:
    endpoint, _ = pinger()
    endpoint.switch("on" if before else "off")
    endpoint.handle(OP_SET, "schedule_status", [word], {})
    assert endpoint.handle(OP_GET, "schedule_status", [], {}) is status


@pytest.mark.parametrize("word", NONSENSE)
@pytest.mark.parametrize("before", [False, True])
def test_any_other_word_is_304_and_changes_nothing(word: Any, before: bool) -> None:
    endpoint, service = pinger()
    endpoint.switch("on" if before else "off")
    service.clock.advance(5)
    expected = "^pinger: schedule_status must be start or on, stop or off, restart, true or false, not "
    with pytest.raises(DriplineValueError, match=expected):
        endpoint.handle(OP_SET, "schedule_status", [word], {})
    assert endpoint.schedule_status is before
    service.clock.advance(6)
    assert endpoint._times == ([0, 10] if before else [])


def test_a_nonsense_word_of_any_length_gives_a_short_text() -> None:
    with pytest.raises(DriplineValueError) as caught:
        checked_status("schedule_status", "x" * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [-1, "soon", None, True, float("nan"), float("inf"), 10**400])
def test_an_interval_that_is_none_is_304_and_changes_nothing(value: Any) -> None:
    endpoint, service = pinger()
    endpoint.switch("on")
    with pytest.raises(DriplineValueError, match="^pinger: schedule_interval must be a number of seconds"):
        endpoint.handle(OP_SET, "schedule_interval", [value], {})
    service.clock.advance(15)
    assert (endpoint.schedule_interval, endpoint._times) == (10, [0, 10])


@pytest.mark.parametrize("name", ["scheduled_action", "switch", "starts_by_itself", "interval_key", "status_key"])
def test_its_plumbing_is_not_for_the_mesh(name: str) -> None:
    endpoint, _ = pinger()
    with pytest.raises(DriplineMethodNotSupportedError, match="is not for the mesh"):
        endpoint.handle(OP_GET, name, [], {})


def several(*intervals: float) -> tuple[list[Pinger], StubService]:
    service = StubService()
    endpoints = [Pinger(name=f"p{number}", interval=interval) for number, interval in enumerate(intervals)]
    for endpoint in endpoints:
        service.add_endpoint(endpoint)
    return endpoints, service


def test_several_are_spread_over_their_intervals() -> None:
    endpoints, service = several(10, 10, 20, 10)
    assert switch_all(endpoints, "on") == {"p0": "on", "p1": "on", "p2": "on", "p3": "on"}
    service.clock.advance(29)
    assert [endpoint._times for endpoint in endpoints] == [[0, 10, 20], [2.5, 12.5, 22.5], [10], [7.5, 17.5, 27.5]]


def test_a_single_one_of_several_acts_at_once() -> None:
    endpoints, service = several(10)
    switch_all(endpoints, "on")
    service.clock.advance(0)
    assert endpoints[0]._times == [0]


def test_one_that_is_on_already_keeps_its_times() -> None:
    endpoints, service = several(10, 10)
    endpoints[1].switch("on")
    service.clock.advance(3)
    switch_all(endpoints, "on")
    service.clock.advance(10)
    assert [endpoint._times for endpoint in endpoints] == [[3, 13], [0, 10]]


def test_those_that_cannot_be_switched_on_are_told_and_do_not_keep_the_others_from_it() -> None:
    endpoints, service = several(0, 10, 0)
    reason = "schedule_interval must be above 0 seconds to switch it on"
    assert switch_all(endpoints, "on") == {"p0": f"off ({reason})", "p1": "on", "p2": f"off ({reason})"}
    assert switch_all(endpoints, "off") == {"p0": "off", "p1": "off", "p2": "off"}
    service.clock.advance(100)
    assert [endpoint._times for endpoint in endpoints] == [[], [], []]


def test_none_at_all_is_no_error() -> None:
    assert switch_all([], "on") == {}

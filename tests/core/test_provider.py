"""An endpoint that holds others."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_SEND, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineAccessDenied,
    DriplineHardwareError,
    DriplineInternalError,
    DriplineMethodNotSupportedError,
    DriplineValueError,
    DriplineWarning,
)
from dragonfly.core.lockout import Origin
from dragonfly.core.provider import Provider
from dragonfly.core.spime import Spime
from tests.stub_service import StubService


class Instrument(Provider):
    def send(self, commands: list[str]) -> Any:
        if "FAIL" in commands:
            raise DriplineHardwareError("no answer")
        return commands


def test_endpoints_are_held_by_name_in_their_order() -> None:
    provider, plums, peaches = Provider(name="p"), Endpoint(name="plums"), Endpoint(name="peaches")
    provider.add_endpoint(plums)
    provider.add_endpoint(peaches)
    assert dict(provider.endpoints) == {"plums": plums, "peaches": peaches}
    assert provider.endpoint_names == ["plums", "peaches"]
    assert plums.provider is peaches.provider is provider


def test_two_providers_share_nothing() -> None:
    first, second = Provider(name="a"), Provider(name="b")
    first.add_endpoint(Endpoint(name="plums"))
    assert second.endpoint_names == []


def test_a_second_endpoint_of_a_name_is_refused_and_the_first_stays() -> None:
    provider, first = Provider(name="p"), Endpoint(name="plums")
    provider.add_endpoint(first)
    second = Endpoint(name="plums")
    with pytest.raises(DriplineValueError, match="^p already holds an endpoint named plums$"):
        provider.add_endpoint(second)
    assert provider.endpoints["plums"] is first
    assert second.provider is None


def test_the_endpoints_are_a_view_that_cannot_be_changed() -> None:
    provider = Provider(name="p")
    view: Any = provider.endpoints
    with pytest.raises(TypeError):
        view["plums"] = Endpoint(name="plums")
    with pytest.raises(AttributeError):
        provider.endpoints = {}  # type: ignore[misc]
    provider.endpoint_names.append("plums")
    assert provider.endpoint_names == []


@pytest.mark.parametrize("commands", [[], ["*IDN?"], ["*RST", "*IDN?"]])
def test_send_takes_the_list_of_commands(commands: list[str]) -> None:
    assert Instrument(name="p").handle(OP_SEND, "", commands, {}) == commands


def test_an_error_of_send_comes_through() -> None:
    with pytest.raises(DriplineHardwareError, match="^no answer$"):
        Instrument(name="p").handle(OP_SEND, "", ["FAIL"], {})


def test_a_provider_without_send_of_its_own_is_306() -> None:
    with pytest.raises(DriplineMethodNotSupportedError, match="not supported by this endpoint"):
        Provider(name="p").handle(OP_SEND, "", ["*IDN?"], {})


@pytest.mark.parametrize("name", ["send", "add_endpoint", "endpoints"])
def test_the_plumbing_is_not_for_the_mesh(name: str) -> None:
    provider = Instrument(name="p")
    for operation, args in ((OP_GET, []), (OP_SET, [1]), (OP_CMD, [])):
        with pytest.raises(DriplineMethodNotSupportedError, match="is not for the mesh"):
            provider.handle(operation, name, args, {})


def test_the_names_of_the_endpoints_are_for_the_mesh() -> None:
    provider = Provider(name="p")
    provider.add_endpoint(Endpoint(name="plums"))
    assert provider.handle(OP_GET, "endpoint_names", [], {}) == ["plums"]
    with pytest.raises(DriplineMethodNotSupportedError, match="can be read, not set"):
        provider.handle(OP_SET, "endpoint_names", [[]], {})


class Sensor(Spime):
    def on_get(self) -> float:
        return 1.0


class Muxer(Provider, Spime):
    """A provider that has a value of its own."""

    def on_get(self) -> float:
        return 2.0


def tree(**intervals: float) -> tuple[StubService, Provider]:
    """Return a service, and its provider with sensors of these intervals, s, and an endpoint that cannot log."""
    service, provider, inner = StubService("my_store"), Provider(name="shelf"), Provider(name="box")
    service.add_endpoint(provider)
    provider.add_endpoint(Endpoint(name="label"))
    provider.add_endpoint(inner)
    for name, interval in intervals.items():
        (inner if name.startswith("in") else provider).add_endpoint(Sensor(name=name, log_interval=interval))
    return service, provider


def switch(target: Endpoint, word: Any) -> Any:
    return target.handle(OP_SET, "logging_status", [word], {})


def times(service: StubService, seconds: float) -> dict[str, list[float]]:
    """Let time pass and return when each sensor was told."""
    heard: dict[str, list[float]] = {}

    def send_alert(routing_key: str, payload: Any) -> None:
        heard.setdefault(routing_key.removeprefix("sensor_value."), []).append(service.monotonic())

    service.send_alert = send_alert  # type: ignore[method-assign]
    service.clock.advance(seconds)
    return heard


def test_logging_is_switched_for_all_below_and_reported_for_each() -> None:
    service, shelf = tree(a=30, b=30, inner=30)
    assert switch(shelf, "on") == {"a": "on", "b": "on", "inner": "on"}
    assert shelf.handle(OP_GET, "logging_status", [], {}) == [["a", True], ["b", True], ["inner", True]]
    assert times(service, 45) == {"a": [0, 30], "b": [10, 40], "inner": [20]}
    assert switch(shelf, "off") == {"a": "off", "b": "off", "inner": "off"}
    assert times(service, 100) == {}


def test_a_service_switches_all_that_it_has() -> None:
    service, _ = tree(a=30, inner=60)
    assert switch(service, "start") == {"a": "on", "inner": "on"}
    assert times(service, 45) == {"a": [0, 30], "inner": [30]}
    assert service.handle(OP_GET, "logging_status", [], {}) == [["a", True], ["inner", True]]


def test_a_restart_begins_anew_for_each() -> None:
    service, shelf = tree(a=30, b=30)
    switch(shelf, "on")
    service.clock.advance(40)
    assert switch(shelf, "restart") == {"a": "on", "b": "on"}
    assert times(service, 20) == {"a": [40], "b": [55]}


@pytest.mark.parametrize(("word", "status"), [(True, "on"), ("true", "on"), (False, "off"), ("STOP", "off")])
def test_the_words_are_those_of_a_single_one(word: Any, status: str) -> None:
    _, shelf = tree(a=30)
    assert switch(shelf, word) == {"a": status}


def test_config_does_the_same() -> None:
    _, shelf = tree(a=30)
    assert shelf.handle(OP_CONFIG, "", ["logging_status", "on"], {}) == {"a": "on"}
    assert shelf.handle(OP_CONFIG, "", ["logging_status"], {}) == [["a", True]]


@pytest.mark.parametrize("word", ["on", "restart"])
def test_those_that_cannot_be_switched_on_are_a_remark_and_the_others_are_on(word: str) -> None:
    service, shelf = tree(a=0, b=30, inner=0)
    with pytest.raises(DriplineWarning, match="^not switched: a, inner$") as caught:
        switch(shelf, word)
    assert caught.value.retcode == 0
    reason = "log_interval must be above 0 seconds to switch it on"
    assert caught.value.result == {"a": f"off ({reason})", "b": "on", "inner": f"off ({reason})"}
    assert list(times(service, 20)) == ["b"]
    assert switch(shelf, "off") == {"a": "off", "b": "off", "inner": "off"}


@pytest.mark.parametrize("word", ["", "yes", 1, None, [], {"a": "on"}])
@pytest.mark.parametrize("before", ["on", "off"])
def test_a_nonsense_word_is_304_and_changes_nothing(word: Any, before: str) -> None:
    _, shelf = tree(a=30, b=30)
    switch(shelf, before)
    with pytest.raises(DriplineValueError, match="logging_status must be start or on, stop or off, restart, true or"):
        switch(shelf, word)
    assert shelf.logging_status == [["a", before == "on"], ["b", before == "on"]]


def test_a_provider_with_nothing_that_logs_has_nothing_to_report() -> None:
    _, shelf = tree()
    assert (switch(shelf, "on"), shelf.logging_status) == ({}, [])


def test_a_provider_with_a_value_of_its_own_is_switched_by_its_schedule_status() -> None:
    service, muxer = StubService(), Muxer(name="muxer", log_interval=10)
    service.add_endpoint(muxer)
    muxer.add_endpoint(Sensor(name="a", log_interval=10))
    assert switch(muxer, "on") == {"a": "on"}
    assert list(times(service, 5)) == ["a"]
    muxer.handle(OP_SET, "schedule_status", ["on"], {})
    assert muxer.handle(OP_GET, "schedule_status", [], {}) is True
    assert times(service, 6) == {"muxer": [5], "a": [10]}
    assert switch(service, "off") == {"muxer": "off", "a": "off"}


def test_a_locked_provider_is_switched_with_its_key_alone() -> None:
    _, shelf = tree(a=30)
    shelf.lock()
    with pytest.raises(DriplineAccessDenied):
        switch(shelf, "on")
    assert shelf.logging_status == [["a", False]]


def test_others_are_asked_through_the_service() -> None:
    service, shelf = tree()
    assert shelf.get("far.speed", timeout=3) is service.reply.payload
    shelf.set("far", 5, lockout_key="k")
    shelf.cmd("far", "move", 1, y=2)
    assert service.requests == [
        ("far.speed", OP_GET, {"values": []}, 3, None),
        ("far", OP_SET, {"values": [5]}, None, "k"),
        ("far.move", OP_CMD, {"values": [1], "y": 2}, None, None),
    ]


def test_outside_of_a_service_nobody_can_be_asked() -> None:
    with pytest.raises(DriplineInternalError, match="^p is in no service, and cannot ask the mesh$"):
        Provider(name="p").get("far")


def test_what_is_locked_by_itself_is_not_switched_with_the_others() -> None:
    service, rack = StubService(), Provider(name="rack")
    service.add_endpoint(rack)
    for name in ("peaches", "chips"):
        rack.add_endpoint(Spime(name=name, log_interval=30))
    rack.endpoints["chips"].lock()
    with pytest.raises(DriplineWarning, match="not switched: chips") as caught:
        rack.handle(OP_SET, "logging_status", ["on"], {})
    assert caught.value.result == {"peaches": "on", "chips": "not switched (it is locked)"}
    assert rack.logging_status == [["peaches", True], ["chips", False]]


def test_who_has_the_key_of_a_locked_provider_switches_all_below_it() -> None:
    service, rack = StubService(), Provider(name="rack")
    service.add_endpoint(rack)
    rack.add_endpoint(Spime(name="peaches", log_interval=30))
    key = rack.lock()["key"]
    assert rack.handle(OP_SET, "logging_status", ["on"], {}, Origin(key=key)) == {"peaches": "on"}

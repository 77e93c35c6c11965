"""An endpoint that holds others."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_GET, OP_SEND, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineHardwareError,
    DriplineMethodNotSupportedError,
    DriplineValueError,
)
from dragonfly.core.provider import Provider


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

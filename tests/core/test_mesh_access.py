"""What of an endpoint the mesh may touch, tried with every name there is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dragonfly.core import mesh_access
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_SET
from dragonfly.core.data_logger import DataLogger
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineError,
    DriplineHardwareError,
    DriplineMethodNotSupportedError,
    DriplineValueError,
)
from dragonfly.core.provider import Provider
from dragonfly.core.spime import Spime
from dragonfly.implementations.key_value_store import kv_store, kv_store_key

LOGGING = {"log_interval", "max_interval", "max_fractional_change", "alert_routing_key", "log_on_set"}
# class: attributes that can be read, attributes that can be set, commands
ALLOWED: dict[type[Endpoint], tuple[set[str], set[str], set[str]]] = {
    Endpoint: ({"calibration", "get_on_set"}, {"get_on_set"}, {"ping"}),
    Provider: ({"calibration", "get_on_set", "endpoint_names"}, {"get_on_set"}, {"ping"}),
    kv_store: ({"calibration", "get_on_set", "endpoint_names"}, {"get_on_set"}, {"ping"}),
    Spime: ({"calibration", "get_on_set"} | LOGGING, {"get_on_set"} | LOGGING, {"ping"}),
    kv_store_key: ({"calibration", "get_on_set"} | LOGGING, {"get_on_set"} | LOGGING, {"ping"}),
}
STRANGE = ["", " ", ".", "__class__.__name__", "ping.__func__", "ping()", "PING", "log-interval", "no_such", "\ud800"]
VALUES = [None, True, False, 0, 12, -1.5, "text", "", [1], {"a": 1}, "x" * 10_000, float("nan")]

classes = pytest.mark.parametrize("cls", ALLOWED, ids=lambda cls: cls.__name__)


def make(cls: type[Endpoint]) -> Endpoint:
    """Return an endpoint that has a place in a tree, so that its plumbing leads somewhere."""
    endpoint = cls(name="peaches")
    Provider(name="parent").add_endpoint(endpoint)
    if isinstance(endpoint, Provider):
        endpoint.add_endpoint(Endpoint(name="child"))
    return endpoint


def every_name(endpoint: Endpoint) -> list[str]:
    places = (endpoint, type(endpoint), type, DataLogger, Provider, kv_store_key)
    return sorted({name for place in places for name in dir(place)} | set(vars(endpoint)) | set(STRANGE))


def state(endpoint: Endpoint) -> tuple[dict[str, Any], set[str], list[str]]:
    children = list(getattr(endpoint, "_endpoints", {}))
    return dict(vars(endpoint)), set(vars(type(endpoint))), children


def accepted(endpoint: Endpoint, action: Callable[[str], Any]) -> set[str]:
    """Return the names that an action takes; all others raise a DriplineError and change nothing."""
    names = set()
    for name in every_name(endpoint):
        before = state(endpoint)
        try:
            action(name)
        except DriplineError as err:
            assert err.retcode in (303, 304, 306), name
            assert len(str(err)) < 250, name
        else:
            names.add(name)
        assert state(endpoint) == before or name in names
    return names


@classes
def test_nothing_but_these_attributes_can_be_read(cls: type[Endpoint]) -> None:
    endpoint = make(cls)
    assert accepted(endpoint, lambda name: mesh_access.read(endpoint, name)) == ALLOWED[cls][0]


@classes
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:10])
def test_nothing_but_these_attributes_can_be_set(cls: type[Endpoint], value: Any) -> None:
    endpoint = make(cls)
    assert accepted(endpoint, lambda name: mesh_access.write(endpoint, name, value)) <= ALLOWED[cls][1]


@classes
def test_each_of_these_attributes_can_be_set(cls: type[Endpoint]) -> None:
    endpoint = make(cls)
    takes = {
        name
        for value in VALUES
        for name in accepted(endpoint, lambda name, value=value: mesh_access.write(endpoint, name, value))
    }
    assert takes == ALLOWED[cls][1]


@classes
def test_nothing_but_ping_is_a_command(cls: type[Endpoint]) -> None:
    endpoint = make(cls)
    assert accepted(endpoint, lambda name: mesh_access.command(endpoint, name)) == ALLOWED[cls][2]


@classes
def test_a_value_that_was_set_is_read(cls: type[Endpoint]) -> None:
    endpoint = make(cls)
    mesh_access.write(endpoint, "get_on_set", True)
    assert mesh_access.read(endpoint, "get_on_set") is True


def requests(name: str) -> Iterator[tuple[int, str, list[Any]]]:
    """Give each way in which a request can name an attribute or a command."""
    for values in ([], [5], ["x"], [None], [name], [name, 5], [[]]):
        for operation in (OP_GET, OP_SET, OP_CONFIG, OP_CMD):
            yield operation, name, values
            yield operation, "", values


@classes
@pytest.mark.parametrize("keys", [{}, {"value": 5}, {"method": "ping"}, {"x": 1, "y": []}], ids=str)
def test_no_request_raises_anything_but_an_error_with_a_code(cls: type[Endpoint], keys: dict[str, Any]) -> None:
    outcomes = {True: 0, False: 0}
    for name in every_name(make(cls)):
        for operation, specifier, values in requests(name):
            endpoint = make(cls)
            names = set(vars(endpoint))
            try:
                endpoint.handle(operation, specifier, values, dict(keys))
            except DriplineError:
                outcomes[False] += 1
            else:
                outcomes[True] += 1
            assert set(vars(endpoint)) == names
            assert endpoint.name == "peaches" and endpoint.provider.name == "parent"
    assert outcomes[False] > 100
    assert outcomes[True] > 0 or keys


class Device(Endpoint):
    """What somebody's own class may hold."""

    not_for_the_mesh = frozenset({"bus"})
    unit = "K"
    _hidden_unit = "mK"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setpoint = 4.2
        self.on_time = 5.0
        self.bus = "GPIB0"
        self._secret = "s"
        self.transform = lambda value: value
        self._limit = 10.0

    @property
    def serial(self) -> str:
        return "SN1"

    @property
    def limit(self) -> float:
        return self._limit

    @limit.setter
    def limit(self, value: Any) -> None:
        if value == "hardware":
            raise DriplineHardwareError("no answer")
        if value == "own":
            raise DriplineValueError("limit is 0 to 10")
        self._limit = float(value)

    def reset(self, hard: bool = False) -> str:
        return f"reset {hard}"

    @staticmethod
    def convert(value: float) -> float:
        return 2 * value

    @classmethod
    def kind(cls) -> str:
        return cls.__name__

    def _helper(self) -> None: ...

    def on_get(self) -> float:
        return 1.0


class Refined(Device):
    not_for_the_mesh = frozenset({"setpoint"})

    def on_reset(self) -> None: ...


@pytest.mark.parametrize(
    ("name", "value"), [("unit", "K"), ("setpoint", 4.2), ("serial", "SN1"), ("limit", 10.0), ("get_on_set", False)]
)
def test_public_variables_and_properties_are_attributes(name: str, value: Any) -> None:
    assert mesh_access.read(Device(name="d"), name) == value


@pytest.mark.parametrize(
    ("name", "args", "result"),
    [("reset", [True], "reset True"), ("convert", [2], 4), ("kind", [], "Device"), ("ping", [], None)],
)
def test_public_methods_are_commands(name: str, args: list[Any], result: Any) -> None:
    assert mesh_access.command(Device(name="d"), name)(*args) == result


@pytest.mark.parametrize("access", [mesh_access.read, mesh_access.command])
@pytest.mark.parametrize(
    "name",
    [
        *("_secret", "_helper", "_hidden_unit", "_limit", "__init__", "__dict__", "__class__"),
        *("on_get", "on_set", "on_time", "on_no_such", "bus", "name", "provider", "service", "not_for_the_mesh"),
        *("handle", "calibrated", "start", "stop"),
    ],
)
def test_what_is_private_a_handler_or_listed_is_306(access: Any, name: str) -> None:
    device = Device(name="d")
    with pytest.raises(DriplineMethodNotSupportedError, match=f"^d.{name} is not for the mesh$"):
        access(device, name)
    before = dict(vars(device))
    with pytest.raises(DriplineMethodNotSupportedError, match=f"^d.{name} is not for the mesh$"):
        mesh_access.write(device, name, "x")
    assert vars(device) == before


def test_a_list_adds_to_those_of_the_ancestors() -> None:
    refined = Refined(name="d")
    for name in ("setpoint", "bus", "provider"):
        with pytest.raises(DriplineMethodNotSupportedError):
            mesh_access.read(refined, name)
    assert mesh_access.read(Device(name="d"), "setpoint") == 4.2
    with pytest.raises(DriplineMethodNotSupportedError):
        mesh_access.command(refined, "on_reset")


# What is told where nothing is near, and not too much of it.
ATTRIBUTES = "; it has calibration, get_on_set, limit, on_time, serial, setpoint, unit"
COMMANDS = "; it has convert, kind, ping, reset"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("setpont", "; did you mean setpoint?"),
        ("limits", "; did you mean limit?"),
        ("transform", ATTRIBUTES),
        ("", ATTRIBUTES),
        ("setpoint.real", "; did you mean setpoint?"),
        ("xyz", ATTRIBUTES),
    ],
)
def test_an_unknown_attribute_is_304_with_a_near_miss_and_nothing_is_created(name: str, hint: str) -> None:
    device = Device(name="d")
    before = dict(vars(device))
    for action in (lambda: mesh_access.read(device, name), lambda: mesh_access.write(device, name, 1)):
        with pytest.raises(DriplineValueError) as caught:
            action()
        assert str(caught.value) == f"d(Device) has no <{name}> attribute{hint}"
    assert vars(device) == before


@pytest.mark.parametrize(
    ("name", "hint"), [("rest", "; did you mean reset?"), ("transform", COMMANDS), ("xyz", COMMANDS)]
)
def test_an_unknown_command_is_304_with_a_near_miss(name: str, hint: str) -> None:
    with pytest.raises(DriplineValueError) as caught:
        mesh_access.command(Device(name="d"), name)
    assert str(caught.value) == f"d(Device) has no <{name}> command{hint}"


@pytest.mark.parametrize("name", ["reset", "convert", "kind", "ping"])
def test_a_command_is_no_value(name: str) -> None:
    device = Device(name="d")
    with pytest.raises(DriplineValueError, match=rf"^d\.{name} is a command, no value: use cmd$"):
        mesh_access.read(device, name)
    with pytest.raises(DriplineValueError, match="is a command, no value"):
        mesh_access.write(device, name, 5)
    assert callable(getattr(device, name)) and name not in vars(device)


@pytest.mark.parametrize("name", ["unit", "setpoint", "serial", "limit"])
def test_a_value_is_no_command(name: str) -> None:
    with pytest.raises(DriplineValueError, match=rf"^d\.{name} is a value, no command: use get or set$"):
        mesh_access.command(Device(name="d"), name)


def test_a_property_without_a_setter_can_be_read_not_set() -> None:
    device = Device(name="d")
    with pytest.raises(DriplineMethodNotSupportedError, match=r"^d\.serial can be read, not set$"):
        mesh_access.write(device, "serial", "SN2")
    assert device.serial == "SN1"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("abc", DriplineValueError, "d: could not convert string to float: 'abc'"),
        (None, DriplineValueError, "d: float"),
        ("own", DriplineValueError, "d: limit is 0 to 10"),
        ("hardware", DriplineHardwareError, "no answer"),
    ],
)
def test_a_setter_that_refuses_is_304_with_the_endpoint_and_an_error_of_the_instrument_its_own(
    value: Any, kind: type[DriplineError], text: str
) -> None:
    device = Device(name="d")
    with pytest.raises(kind) as caught:
        mesh_access.write(device, "limit", value)
    assert str(caught.value).startswith(text)
    assert device.limit == 10.0


@pytest.mark.parametrize("name", ["log_interval", "max_interval", "max_fractional_change"])
def test_a_number_that_is_no_float_is_304(name: str) -> None:
    spime = Spime(name="s")
    with pytest.raises(DriplineValueError):
        mesh_access.write(spime, name, 10**400)


def test_a_set_of_a_class_variable_changes_this_endpoint_only() -> None:
    first, second = Device(name="a"), Device(name="b")
    mesh_access.write(first, "unit", "mK")
    assert (first.unit, second.unit, Device.unit) == ("mK", "K", "K")


def test_a_name_of_any_length_is_refused_with_a_short_text() -> None:
    with pytest.raises(DriplineValueError) as caught:
        mesh_access.read(Device(name="d"), "x" * 100_000)
    assert len(str(caught.value)) < 250
    with pytest.raises(DriplineMethodNotSupportedError) as refused:
        mesh_access.read(Device(name="d"), "_" * 100_000)
    assert len(str(refused.value)) < 250

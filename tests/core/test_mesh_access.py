"""What of an endpoint the mesh may touch, tried with every name there is."""

from functools import cached_property, partialmethod
from typing import Any

import pytest

from dragonfly.core import mesh_access
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineError,
    DriplineHardwareError,
    DriplineMethodNotSupportedError,
    DriplineValueError,
)
from dragonfly.core.spime import Spime
from tests.core.test_mesh_access_table import outcome


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


# What is told where nothing is near, and not too much of it: a device has more attributes than fit into a sentence.
COMMANDS = "; it has convert, describe, kind, lock, lock_status, ping, reset, unlock"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("setpont", "; did you mean setpoint?"),
        ("limitt", "; did you mean limit?"),
        ("transform", ""),
        ("", ""),
        ("setpoint.real", "; did you mean setpoint?"),
        ("xyz", ""),
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


def test_few_attributes_are_named() -> None:
    with pytest.raises(DriplineValueError) as caught:
        mesh_access.read(Endpoint(name="e"), "xyz")
    names = "calibration, description, get_on_set, is_locked, limits, unit"
    assert str(caught.value) == f"e(Endpoint) has no <xyz> attribute; it has {names}"


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


class Reworked(Device):
    """What puts something else in the place of an ancestor's members."""

    reset = None
    kind = "cryostat"
    offset = property(None, lambda self, value: None)
    twice = partialmethod(Device.convert, 4)

    def setpoint(self) -> float:
        return 5.0

    @property
    def limit(self) -> float:
        return 9.0

    @cached_property
    def model(self) -> str:
        return "M1"


def test_what_stands_in_the_place_of_an_ancestors_member_counts() -> None:
    assert {"kind", "limit", "model", "reset"} <= mesh_access.class_attributes(Reworked)
    assert {"convert", "setpoint"} <= mesh_access.commands(Reworked)
    device = Reworked.__new__(Reworked)
    device.__dict__.update(vars(Device(name="d")))
    assert mesh_access.read(device, "kind") == "cryostat"
    assert mesh_access.read(device, "model") == "M1"
    for refused in (lambda: mesh_access.command(device, "reset"), lambda: mesh_access.read(device, "twice")):
        assert outcome(refused) == 304
    assert outcome(lambda: mesh_access.command(device, "twice")) == 304
    with pytest.raises(DriplineMethodNotSupportedError, match="can be read, not set"):
        mesh_access.write(device, "limit", 3)
    mesh_access.write(device, "offset", 3)
    with pytest.raises(DriplineMethodNotSupportedError, match="can be set, not read"):
        mesh_access.read(device, "offset")

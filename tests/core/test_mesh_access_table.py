"""What the mesh reaches of each class of the core: these names, and nothing else in `dir()`."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from dragonfly.core import mesh_access
from dragonfly.core.alert_consumer import AlertConsumer
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_SET
from dragonfly.core.data_logger import DataLogger
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineError,
)
from dragonfly.core.provider import Provider
from dragonfly.core.service import Service
from dragonfly.core.service_life import ServiceLife
from dragonfly.core.spime import Spime
from dragonfly.implementations.key_value_store import kv_store, kv_store_key
from tests.stub_service import StubService


class Listener(AlertConsumer):
    def this_consume(self, message: Any, method: Any) -> None: ...


class Table(NamedTuple):
    """All public names of a class: what the mesh may do with each."""

    read: set[str]  # attributes that can be read, not set
    settable: set[str]  # attributes that can be read and set
    commands: set[str]
    refused: set[str]  # plumbing and identity

    def __or__(self, other: Any) -> "Table":
        return Table(*(ours | others for ours, others in zip(self, other, strict=True)))

    def code(self, verb: str, name: str) -> int | None:
        """Return the code with which a request is refused; None where it is done."""
        if name.startswith(("_", "on_")) or name in self.refused:
            return 306
        if verb == "cmd":
            return None if name in self.commands else 304
        if verb == "set" and name in self.read:
            return 306
        return None if name in self.read | self.settable else 304


ENDPOINT = Table(
    read={"calibration", "unit", "description", "limits", "is_locked"},
    settable={"get_on_set"},
    commands={"ping", "lock", "unlock", "lock_status", "describe"},
    refused={"name", "provider", "service", "calibrated", "start", "stop", "subtree", "handle", "not_for_the_mesh"},
)
PROVIDER = ENDPOINT | Table(
    read={"endpoint_names"},
    settable={"logging_status"},
    commands=set(),
    refused={"add_endpoint", "endpoints", "send", "get", "set", "cmd"},
)
SPIME = ENDPOINT | Table(
    read=set(),
    settable={
        *("log_interval", "logging_status", "schedule_interval", "schedule_status", "max_interval"),
        *("max_fractional_change", "max_absolute_change", "check_field", "alert_routing_key", "log_on_set"),
    },
    commands=set(),
    refused={
        *("scheduled_action", "switch", "starts_by_itself", "interval_key", "status_key"),
        *("value_to_log", "broadcast", "raw_after_set"),
    },
)
SERVICE = PROVIDER | Table(
    read={"statistics"},
    settable=set(),
    commands={"set_condition"},
    refused={
        *("clock", "use_timer", "connect", "run", "request_stop", "call_problems", "settings"),
        *("send_alert", "call_later", "monotonic", "request"),
    },
)
ALLOWED: dict[type[Endpoint], Table] = {
    Endpoint: ENDPOINT,
    Provider: PROVIDER,
    kv_store: PROVIDER,
    Spime: SPIME,
    kv_store_key: SPIME,
    Service: SERVICE,
    Listener: SERVICE | Table(set(), set(), set(), {"this_consume"}),
}
STRANGE = ["", " ", ".", "__class__.__name__", "ping.__func__", "ping()", "PING", "log-interval", "no_such", "\ud800"]
VALUES = [None, True, False, 0, 12, -1.5, "text", "", [1], {"a": 1}, "x" * 10_000, float("nan")]

classes = pytest.mark.parametrize("cls", ALLOWED, ids=lambda cls: cls.__name__)


def make(cls: type[Endpoint]) -> Endpoint:
    """Return an endpoint that has a place in a tree, so that its plumbing leads somewhere."""
    endpoint = cls(name="peaches", **({"log_interval": 30} if issubclass(cls, Spime) else {}))
    StubService("parent").add_endpoint(endpoint)
    if isinstance(endpoint, Provider):
        endpoint.add_endpoint(Endpoint(name="child"))
    return endpoint


def every_name(endpoint: Endpoint) -> list[str]:
    places = (endpoint, type(endpoint), type, DataLogger, kv_store_key, Listener, ServiceLife)
    return sorted({name for place in places for name in dir(place)} | set(vars(endpoint)) | set(STRANGE))


def state(endpoint: Endpoint) -> tuple[dict[str, Any], set[str], list[str]]:
    children = list(getattr(endpoint, "_endpoints", {}))
    return dict(vars(endpoint)), set(vars(type(endpoint))), children


def outcome(action: Callable[[], Any]) -> int | None:
    """Return the code with which something is refused, shortly; None where it is done."""
    try:
        action()
    except DriplineError as err:
        assert len(str(err)) < 300
        return err.retcode
    return None


def differing(endpoint: Endpoint, verb: str, action: Callable[[str], Any]) -> dict[str, Any]:
    """Return the outcomes that are not those of the table, by name; what is refused changes nothing."""
    table = ALLOWED[type(endpoint)]
    wrong = {}
    for name in every_name(endpoint):
        before = state(endpoint)
        code, wanted = outcome(lambda name=name: action(name)), table.code(verb, name)
        if code != wanted:
            wrong[name] = (code, wanted)
        assert state(endpoint) == before or wanted is None, name
    return wrong


@classes
def test_each_public_name_stands_in_the_table_once(cls: type[Endpoint]) -> None:
    """A name that is new fails here, until somebody has decided what the mesh may do with it."""
    names = [name for kind in ALLOWED[cls] for name in kind]
    assert sorted(names) == sorted(name for name in {*dir(cls), *vars(make(cls))} if not name.startswith(("_", "on_")))


@classes
def test_a_get_reads_these_attributes_and_nothing_else(cls: type[Endpoint]) -> None:
    endpoint = make(cls)
    assert differing(endpoint, "get", lambda name: mesh_access.read(endpoint, name)) == {}


@classes
def test_a_cmd_reaches_these_commands_and_nothing_else(cls: type[Endpoint]) -> None:
    endpoint = make(cls)
    assert differing(endpoint, "cmd", lambda name: mesh_access.command(endpoint, name)) == {}


@classes
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:10])
def test_a_set_changes_these_attributes_and_nothing_else(cls: type[Endpoint], value: Any) -> None:
    endpoint = make(cls)
    wrong = differing(endpoint, "set", lambda name: mesh_access.write(endpoint, name, value))
    # Each takes some of the values, and refuses the others.
    assert set(wrong) <= ALLOWED[cls].settable
    assert all(code == 304 for code, _ in wrong.values())


@classes
def test_each_of_these_attributes_can_be_set(cls: type[Endpoint]) -> None:
    for name in ALLOWED[cls].settable:
        outcomes = {
            outcome(lambda name=name, value=value: mesh_access.write(make(cls), name, value)) for value in VALUES
        }
        assert outcomes == {None, 304}, name


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
@pytest.mark.parametrize("keys", [{}, {"value": 5}, {"method": "ping"}, {"x": 1, "y": []}, {"origin": []}], ids=str)
def test_no_request_raises_anything_but_an_error_with_a_code(cls: type[Endpoint], keys: dict[str, Any]) -> None:
    outcomes = {True: 0, False: 0}
    for name in every_name(make(cls)):
        endpoint = make(cls)
        names = set(vars(endpoint))
        for operation, specifier, values in requests(name):
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

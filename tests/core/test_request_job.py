"""What a request asks for, and whether it has to wait for a device."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineInvalidKey, DriplinePayloadError
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.lockout import Origin
from dragonfly.core.message import RequestMessage
from dragonfly.core.provider import Provider
from dragonfly.core.request_job import Job, attempt, attempt_call
from dragonfly.core.service import Service

KEY = "0123456789abcdef0123456789abcdef"


class Own(Endpoint):
    """Means something of its own by each of these names."""

    def ping(self) -> None: ...

    def describe(self) -> dict[str, Any]:
        return {}

    def unlock(self, force: bool = False, *, origin: Any = None) -> None: ...

    def lock_status(self) -> dict[str, Any]:
        return {}

    @property
    def statistics(self) -> int:
        return 5


def job(
    operation: int = OP_GET,
    specifier: str = "",
    payload: Any = None,
    endpoint: Endpoint | None = None,
    **fields: Any,
) -> Job:
    endpoint = Endpoint(name="peaches") if endpoint is None else endpoint
    fields.setdefault("sender_info", {"username": "alice", "hostname": "lab1"})
    request = RequestMessage(operation, {"values": []} if payload is None else payload, **fields)
    delivery: Any = object()  # a job does not look into it
    return Job(delivery, request, endpoint, Lane("lane", LanePool("pool", 1)), specifier)


@pytest.mark.parametrize(
    ("payload", "args", "kwargs"),
    [
        ({"values": [1, "a"]}, [1, "a"], {}),
        ({"values": []}, [], {}),
        ({"values": None}, [], {}),
        ({}, [], {}),
        ({"x": 1, "values": [2], "y": None}, [2], {"x": 1, "y": None}),
        ({"origin": ["alice"]}, [], {"origin": ["alice"]}),
    ],
)
def test_a_payload_is_values_and_keys(payload: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    made = job(OP_SET, payload=payload)
    assert (made.args, made.kwargs) == (args, kwargs)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (5, "the payload of a set is an object with 'values', not 5"),
        ("x" * 1000, "the payload of a set is an object with 'values', not 'x"),
        ([1], r"not \[1\]"),
        ({"values": 5}, "the payload's 'values' is a list, not 5"),
        ({"values": {"a": 1}}, "'values' is a list"),
        ({"values": "text"}, "'values' is a list"),
    ],
)
def test_a_payload_of_another_form_is_303(payload: Any, text: str) -> None:
    with pytest.raises(DriplinePayloadError, match=text) as caught:
        job(OP_SET, payload=payload)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("key", ["", "abc", 5, True, [KEY], {"key": KEY}])
@pytest.mark.parametrize("operation", [OP_GET, OP_SET, OP_CMD])
def test_a_lockout_key_that_is_none_is_308_whatever_is_asked_for(key: Any, operation: int) -> None:
    with pytest.raises(DriplineInvalidKey):
        job(operation, "ping", lockout_key=key)


@pytest.mark.parametrize(
    ("info", "key", "origin"),
    [
        ({"username": "alice", "hostname": "lab1"}, None, Origin("alice", "lab1")),
        ({"username": "alice", "hostname": "lab1"}, KEY.upper(), Origin("alice", "lab1", KEY)),
        ({}, None, Origin()),
        ({"username": None, "hostname": 5}, None, Origin("", "5")),
        ({"username": "a\nb\x1b", "hostname": "h" * 1000}, None, Origin("a\\nb\\x1b", "h" * 80)),
        ({"username": "alice", "is_service": True}, None, Origin("alice")),
    ],
)
def test_who_asks_is_read_from_the_message_alone(info: dict[str, Any], key: Any, origin: Origin) -> None:
    made = job(OP_CMD, "lock", {"origin": {"user": "root", "is_service": True}}, sender_info=info, lockout_key=key)
    assert made.origin == origin
    assert made.origin.is_service is False


PING = (OP_CMD, "ping", {"values": []})


@pytest.mark.parametrize(
    ("operation", "specifier", "payload", "is_ping"),
    [
        (*PING, True),
        (OP_CMD, "", {"values": ["ping"]}, True),
        (OP_CMD, "ping", {}, True),
        (OP_CMD, "ping", {"values": [1]}, False),
        (OP_CMD, "ping", {"values": [], "x": 1}, False),
        (OP_CMD, "", {"values": ["ping", 1]}, False),
        (OP_CMD, "pong", {"values": []}, False),
        (OP_GET, "ping", {"values": []}, False),
        (OP_SET, "", {"values": ["ping"]}, False),
        (OP_CMD, "", {"values": []}, False),
        (OP_CMD, "", {"values": [["ping"]]}, False),
    ],
)
def test_a_ping_is_known(operation: int, specifier: str, payload: Any, is_ping: bool) -> None:
    assert job(operation, specifier, payload).is_ping is is_ping
    assert job(operation, specifier, payload, Own(name="own")).is_ping is False


@pytest.mark.parametrize(
    ("operation", "specifier", "payload", "at_the_desk"),
    [
        (OP_CMD, "describe", {}, True),
        (OP_CMD, "", {"values": ["describe"]}, True),
        (OP_CMD, "describe", {"values": [1]}, True),
        (OP_CMD, "lock_status", {}, True),
        (OP_CMD, "", {"values": ["lock-status"]}, True),
        (OP_CMD, "unlock", {"force": True}, True),
        (OP_CMD, "unlock", {"values": [True]}, True),
        (OP_CMD, "", {"values": ["unlock"], "force": True}, True),
        (OP_CMD, "", {"values": ["unlock", True]}, True),
        (OP_CMD, "unlock", {}, False),
        (OP_CMD, "unlock", {"force": False}, False),
        (OP_CMD, "unlock", {"force": "true"}, False),
        (OP_CMD, "lock", {}, False),
        (OP_CMD, "set_condition", {"values": [1]}, False),
        (OP_GET, "describe", {}, False),
        (OP_GET, "", {}, False),
        (OP_SET, "", {"values": [1]}, False),
        (OP_SET, "describe", {"values": [1]}, False),
        (OP_RUN, "describe", {}, False),
        (OP_SEND, "", {"values": ["describe"]}, False),
        (OP_CONFIG, "", {"values": ["statistics"]}, False),
    ],
)
def test_what_touches_no_device_does_not_wait_for_one(
    operation: int, specifier: str, payload: Any, at_the_desk: bool
) -> None:
    for endpoint in (Endpoint(name="e"), Provider(name="p"), Service(name="s")):
        assert job(operation, specifier, payload, endpoint).is_for_the_desk is at_the_desk
    assert job(operation, specifier, payload, Own(name="own")).is_for_the_desk is False


@pytest.mark.parametrize(("specifier", "payload"), [("statistics", {}), ("", {"values": ["statistics"]})])
def test_the_statistics_of_a_service_wait_for_no_device(specifier: str, payload: Any) -> None:
    assert job(OP_GET, specifier, payload, Service(name="s")).is_for_the_desk is True
    assert job(OP_SET, specifier, payload, Service(name="s")).is_for_the_desk is False
    for endpoint in (Own(name="own"), Endpoint(name="e")):
        assert job(OP_GET, specifier, payload, endpoint).is_for_the_desk is False


@pytest.mark.parametrize("error", [ValueError("own"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_is_raised_is_returned(error: BaseException) -> None:
    def act() -> None:
        raise error

    assert attempt_call(act) == (None, error)


def test_an_attempt_is_the_value_or_the_error() -> None:
    endpoint = Endpoint(name="peaches")
    assert attempt(endpoint, OP_CMD, "ping", [], {}, Origin()) == (None, None)
    assert attempt(endpoint, OP_GET, "get_on_set", [], {}, Origin()) == (False, None)
    value, error = attempt(endpoint, OP_GET, "", [], {}, Origin())
    assert value is None and type(error).__name__ == "DriplineMethodNotSupportedError"

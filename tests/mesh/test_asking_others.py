"""Requests that a handler sends: to another service, to another lane of its own, and to its own lane."""

import threading
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core import Endpoint, Provider, Service
from dragonfly.core.exceptions import (
    DriplineAMQPRoutingKeyError,
    DriplineInternalError,
    DriplineOwnLaneError,
    DriplineTimeoutError,
    DriplineValueError,
)
from dragonfly.testing import Mesh

INSTRUMENTS = Path(__file__).parent / "instruments.py"


class Asking(Provider):
    """A provider whose handlers ask others."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._seen: list[Any] = []

    def ask(self, target: str) -> Any:
        return self.get(target, timeout=2.0)

    def tell(self, target: str, value: Any) -> Any:
        return self.set(target, value)

    def order(self, target: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.cmd(target, method, *args, **kwargs)

    def wait_for(self, target: str) -> Any:
        return self.get(target, timeout=0.3)


class Value(Endpoint):
    """A value."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._value: Any = 1

    def on_get(self) -> Any:
        return self._value

    def on_set(self, value: Any) -> Any:
        if value == "bad":
            raise DriplineValueError("not bad ones", result={"accepted": "good"})
        self._value = value
        return value

    def add(self, amount: float, twice: bool = False) -> float:
        return float(self._value) + amount * (2 if twice else 1)


@pytest.fixture
def asking() -> Asking:
    return Asking(name="asking")


@pytest.fixture
def lab(mesh: Mesh, asking: Asking) -> Mesh:
    service = Service(name="lab", broker=mesh.address)
    asking.add_endpoint(Value(name="child"))
    service.add_endpoint(asking)
    service.add_endpoint(Value(name="neighbour"))
    mesh.serve(service)
    far = Service(name="far", broker=mesh.address)
    far.add_endpoint(Value(name="stranger"))
    mesh.serve(far)
    return mesh


@pytest.mark.parametrize("target", ["neighbour", "stranger"])
def test_a_handler_gets_sets_and_commands_what_is_on_another_lane(lab: Mesh, target: str) -> None:
    client = lab.client
    assert client.cmd("asking", "ask", target).payload == {"values": [1]}
    assert client.cmd("asking", "tell", target, 5).payload == {"values": [5]}
    assert client.get(target).payload == {"values": [5]}
    assert client.cmd("asking", "order", target, "add", 2).payload == {"values": [7.0]}
    assert client.cmd("asking", "order", target, "add", 2, twice=True).payload == {"values": [9.0]}


@pytest.mark.parametrize("target", ["asking", "child", "child.unit"])
def test_a_request_to_the_own_lane_is_322_at_once(lab: Mesh, target: str) -> None:
    reply = lab.client.cmd("asking", "ask", target)
    assert reply.retcode == DriplineOwnLaneError.retcode == 322
    assert f"{target} is on the lane asking of the handler that asks" in reply.return_msg


def test_the_error_of_the_one_that_was_asked_is_that_of_the_one_who_asked(lab: Mesh) -> None:
    reply = lab.client.cmd("asking", "tell", "stranger", "bad")
    assert (reply.retcode, reply.return_msg) == (304, "not bad ones")
    assert reply.payload == {"accepted": "good"}


def test_nobody_there_is_102_and_no_answer_in_time_is_305(lab: Mesh, tmp_path: Path) -> None:
    assert lab.client.cmd("asking", "ask", "nobody").retcode == DriplineAMQPRoutingKeyError.retcode
    lab.serve(
        f"name: gates\nendpoints:\n- {{name: gate, module: GateEndpoint, module_path: {INSTRUMENTS},"
        f" directory: {tmp_path}}}"
    )
    reply = lab.client.cmd("asking", "wait_for", "gate")
    (tmp_path / "open").touch()
    assert reply.retcode == DriplineTimeoutError.retcode
    assert "no reply to get gate within 0.3 s" in reply.return_msg


def test_a_locked_target_wants_its_key_from_a_handler_too(lab: Mesh, asking: Asking) -> None:
    key = lab.client.cmd("neighbour", "lock").payload["key"]
    assert lab.client.cmd("asking", "tell", "neighbour", 3).retcode == 307
    # A key in the request to `asking` is for `asking` alone.
    assert lab.client.cmd("asking", "order", "neighbour", "add", 3, lockout_key=key).retcode == 307
    assert asking.set("neighbour", 3, lockout_key=key) == {"values": [3]}


@pytest.mark.usefixtures("lab")
def test_many_handlers_ask_at_the_same_time(asking: Asking) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(asking.get("stranger"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert answers == [{"values": [1]}] * 20


def test_a_provider_in_no_service_says_so() -> None:
    with pytest.raises(DriplineInternalError, match="asking is in no service"):
        Asking(name="asking").get("peaches")


def test_a_service_that_was_not_started_says_so(unused_address: str) -> None:
    with pytest.raises(DriplineInternalError, match="lab is not on a mesh"):
        Service(name="lab", broker=unused_address).get("peaches")

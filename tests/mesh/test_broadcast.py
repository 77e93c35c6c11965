"""Requests to all services at once: each answers once, for all that it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_GET, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineHardwareError
from dragonfly.core.message import ReplyMessage
from dragonfly.core.service import Service
from dragonfly.implementations.key_value_store import kv_store_key
from dragonfly.testing import Mesh
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.hung import hanging
from tests.mesh.instruments import GateEndpoint
from tests.mesh.program import dragonfly

KEY = "0123456789abcdef0123456789abcdef"


class Heater(Endpoint):
    """Goes to where a condition sends it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._told: list[int] = []

    def on_set_condition(self, condition: int) -> str:
        self._told.append(condition)
        return f"off, for {condition}"


class OldHeater(Endpoint):
    def _set_condition(self, number: int) -> None: ...


class BrokenHeater(Endpoint):
    def on_set_condition(self, condition: int) -> None:
        raise DriplineHardwareError("no answer")


class HungHeater(GateEndpoint):
    def on_set_condition(self, condition: int) -> None: ...


class Lab:
    """Two services: one with heaters, one with a price."""

    def __init__(self, mesh: Mesh, directory: Path) -> None:
        self.mesh = mesh
        self.heater = Heater(name="heater")
        self.warm = Service(name="warm", broker=mesh.address)
        for endpoint in (
            self.heater,
            OldHeater(name="old"),
            BrokenHeater(name="broken"),
            HungHeater(name="gate", directory=str(directory)),
        ):
            self.warm.add_endpoint(endpoint)
        self.cold = Service(name="cold", broker=mesh.address)
        self.cold.add_endpoint(kv_store_key(name="peaches", initial_value=1))
        for service in (self.warm, self.cold):
            mesh.serve(service)

    def ask(self, command: str, *values: Any, operation: int = OP_CMD, **fields: Any) -> dict[str, ReplyMessage]:
        """Ask all and return the replies by service; one that answers twice is found."""
        kwargs = {name: fields.pop(name) for name in tuple(fields) if name not in ("lockout_key", "quiet_time")}
        replies = self.mesh.client.request_all(
            f"broadcast.{command}" if command else "broadcast", operation, {"values": list(values), **kwargs}, **fields
        )
        names = [reply.service_name for reply in replies]
        assert sorted(names) == ["cold", "warm"]
        return {reply.service_name: reply for reply in replies}

    @property
    def locked(self) -> list[str]:
        return [each.name for service in (self.warm, self.cold) for each in service.subtree() if each.is_locked]


@pytest.fixture
def lab(mesh: Mesh, tmp_path: Path) -> Lab:
    return Lab(mesh, tmp_path)


ALL = ["warm", "heater", "old", "broken", "gate", "cold", "peaches"]


def test_each_service_answers_a_ping_once(lab: Lab) -> None:
    for reply in lab.ask("ping").values():
        assert (reply.retcode, reply.payload) == (0, {"values": [None]})


def test_a_lock_is_on_all_of_all_services(lab: Lab) -> None:
    replies = lab.ask("lock", lockout_key=KEY)
    assert [reply.payload for reply in replies.values()] == [{"lockout-key": KEY, "key": KEY}] * 2
    assert lab.locked == ALL
    assert lab.mesh.client.set("peaches", 5).retcode == 307
    assert [reply.retcode for reply in lab.ask("unlock").values()] == [307, 307]
    assert [reply.return_msg for reply in lab.ask("unlock", lockout_key=KEY).values()] == ["unlocked"] * 2
    assert lab.locked == []


def test_each_service_makes_a_key_of_its_own_where_none_is_given(lab: Lab) -> None:
    keys = {name: reply.payload["key"] for name, reply in lab.ask("lock").items()}
    assert keys["warm"] != keys["cold"]
    mixed = lab.ask("unlock", lockout_key=keys["warm"])
    assert (mixed["warm"].retcode, mixed["cold"].retcode) == (0, 307)
    assert lab.locked == ["cold", "peaches"]
    forced = lab.ask("unlock", force=True)
    assert (forced["warm"].retcode, forced["cold"].retcode) == (1, 0)
    assert lab.locked == []


def test_a_lock_that_one_service_refuses_is_on_the_other(lab: Lab) -> None:
    lab.mesh.client.cmd("heater", "lock", lockout_key="f" * 32)
    replies = lab.ask("lock", lockout_key=KEY, lease=60)
    assert (replies["warm"].retcode, replies["cold"].retcode) == (307, 0)
    assert "Endpoint heater is locked" in replies["warm"].return_msg
    assert lab.locked == ["heater", "cold", "peaches"]


def entry(retcode: int = 0, return_msg: str = "", result: Any = None) -> dict[str, Any]:
    return {"retcode": retcode, "return_msg": return_msg, "result": result}


ANSWERS = {"heater": entry(result="off, for 3"), "old": entry(), "broken": entry(200, "no answer"), "gate": entry()}


@pytest.mark.parametrize("is_locked", [True, False])
def test_a_condition_reaches_all_that_want_to_know_locked_or_not(lab: Lab, is_locked: bool) -> None:
    if is_locked:
        lab.ask("lock")
    replies = lab.ask("set_condition", 3)
    assert (replies["warm"].retcode, replies["warm"].payload) == (0, ANSWERS)
    assert (replies["cold"].retcode, replies["cold"].payload) == (0, {"values": [None]})
    assert lab.heater._told == [3]


def test_a_condition_does_not_wait_for_ever_for_what_hangs(lab: Lab, tmp_path: Path) -> None:
    with hanging(lab.mesh, tmp_path):
        reply = lab.mesh.client.cmd("warm", "set_condition", 3)
        assert reply.payload == {**ANSWERS, "gate": entry(305, "it did not answer in time")}
        assert lab.mesh.client.cmd("warm", "ping").retcode == 0


@pytest.mark.parametrize(
    ("values", "retcode"), [([], 303), ([1, 2], 303), (["3"], 304), ([3.5], 304), ([None], 304), ([True], 304)]
)
def test_a_condition_that_is_none_is_refused_and_told_to_nobody(lab: Lab, values: list[Any], retcode: int) -> None:
    assert {reply.retcode for reply in lab.ask("set_condition", *values).values()} == {retcode}
    assert lab.heater._told == []


@pytest.mark.parametrize(
    ("operation", "command", "values", "retcode"),
    [
        (OP_CMD, "describe", [], 0),
        (OP_CMD, "lock_status", [], 0),
        (OP_CMD, "", ["ping"], 0),
        (OP_GET, "endpoint_names", [], 0),
        (OP_GET, "statistics", [], 0),
        (OP_GET, "", [], 306),
        (OP_SET, "", [5], 306),
        (OP_CMD, "no_such", [], 304),
        (OP_CMD, "request_stop", [], 306),
        (OP_CMD, "", [], 303),
    ],
)
def test_anything_else_reaches_the_services_themselves(
    lab: Lab, operation: int, command: str, values: list[Any], retcode: int
) -> None:
    replies = lab.ask(command, *values, operation=operation)
    assert {reply.retcode for reply in replies.values()} == {retcode}
    if command == "describe":
        assert {name: reply.payload["name"] for name, reply in replies.items()} == {"warm": "warm", "cold": "cold"}


def test_the_command_line_prints_each_service(lab: Lab, broker: RunningBroker) -> None:
    done = dragonfly(broker.address, "cmd", "broadcast.ping")
    assert done.status == 0
    assert sorted(done.stdout.splitlines()) == [
        "broadcast.ping(ret:0): [cold]-> {'values': [None]}",
        "broadcast.ping(ret:0): [warm]-> {'values': [None]}",
    ]

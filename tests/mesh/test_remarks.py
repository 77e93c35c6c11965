"""What a handler raises with a code below 100 is a success with a remark; what it returns never harms its lane."""

from __future__ import annotations

from typing import Any

import pytest

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, DriplineNoActionWarning, DriplineWarning
from dragonfly.core.service import Service
from dragonfly.testing import Mesh
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.program import dragonfly


class AlmostFull(DriplineError):
    """A remark of somebody's own."""

    retcode = 57


class MuteWarning(DriplineWarning):
    def __str__(self) -> str:
        raise ValueError("no words for it")


class NoCode(DriplineError):
    retcode: Any = None


class Weird(dict[str, Any]):
    """A value that cannot be read."""

    def items(self) -> Any:
        raise KeyError("no items")


CASES: dict[str, tuple[Any, int, str, Any]] = {
    "plain": (DriplineWarning("worth reading"), 0, "worth reading", {"values": [None]}),
    "with a value": (DriplineWarning("worth reading", result={"volts": 5}), 0, "worth reading", {"volts": 5}),
    "nothing to do": (DriplineNoActionWarning("it was on"), 1, "it was on", {"values": [None]}),
    "of one's own": (AlmostFull("90 %", result=0.9), 57, "90 %", {"values": [0.9]}),
    "with no JSON": (DriplineWarning("done", result=object()), 303, "cannot be carried by JSON", {"values": [None]}),
    "with a weird value": (DriplineWarning("done", result=Weird(a=1)), 999, "no items", {"values": [None]}),
    "mute": (MuteWarning(result=5), 0, "", {"values": [5]}),
    "without a code": (NoCode("own"), 999, "own", {"values": [None]}),
    "an error with no JSON": (DriplineError("own", result={1, 2}), 999, "own", {"values": [None]}),
}


class Remarking(Endpoint):
    """Ends as it is told to."""

    def on_get(self) -> Any:
        return 5

    def on_set(self, value: str) -> None:
        raise CASES[value][0]

    def on_run(self, case: str) -> None:
        raise CASES[case][0]

    def act(self, case: str) -> None:
        raise CASES[case][0]

    def weird(self) -> Any:
        return Weird(a=1)


@pytest.fixture
def client(mesh: Mesh) -> Any:
    service = Service(name="lab", broker=mesh.address)
    service.add_endpoint(Remarking(name="valve"))
    mesh.serve(service)
    return mesh.interface(confirm_retcodes=False, timeout=3.0)


@pytest.mark.parametrize("case", CASES)
def test_a_handler_may_end_with_a_remark_and_its_lane_goes_on(client: Any, case: str) -> None:
    _, retcode, text, payload = CASES[case]
    for reply in (client.set("valve", case), client.run("valve", case), client.cmd("valve", "act", case)):
        assert (reply.retcode, reply.payload) == (retcode, payload)
        assert text in reply.return_msg
        assert reply.failed is (retcode >= 100)
    assert client.get("valve").payload == {"values": [5]}


def test_a_value_that_cannot_be_read_is_an_error_and_its_lane_goes_on(client: Any) -> None:
    assert client.cmd("valve", "weird").retcode == 999
    assert client.get("valve").payload == {"values": [5]}


def test_a_remark_raises_nothing_at_a_client_and_is_status_0(client: Any, mesh: Mesh, broker: RunningBroker) -> None:
    assert mesh.interface().set("valve", "of one's own").return_msg == "90 %"
    done = dragonfly(broker.address, "set", "valve", "nothing to do")
    assert done.status == 0 and "it was on" in done.stderr

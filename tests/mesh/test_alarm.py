"""A broker that is low on memory takes no messages: callers learn it at once, and nothing is done late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.core.exceptions import DriplineAMQPConnectionError
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.program import dragonfly

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"
REFUSES = "the broker refuses messages (memory alarm)"

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
def alarm(node: RabbitMQNode, mesh: Mesh) -> Iterator[RabbitMQNode]:
    mesh.serve(TUTORIAL)
    assert mesh.client.get("peaches").retcode == 0
    node.ctl("set_vm_memory_high_watermark", "0")
    yield node
    node.ctl("set_vm_memory_high_watermark", "0.4")


def refused(mesh: Mesh) -> bool:
    try:
        mesh.client.get("chips", timeout=2.0)
    except DriplineAMQPConnectionError as err:
        return str(err) == REFUSES
    return False


def test_a_memory_alarm_is_told_at_once_and_what_was_asked_meanwhile_is_not_done(
    alarm: RabbitMQNode, mesh: Mesh
) -> None:
    deadline = time.monotonic() + 10
    while not refused(mesh):
        assert time.monotonic() < deadline
    told = dragonfly(alarm.address, "set", "peaches", "66", "--timeout", "1")
    assert (told.status, told.stdout, told.stderr.count("\n")) == (3, "", 1)
    assert REFUSES in told.stderr
    # Its deadline, and the clocks' tolerance of 1 s, are over before the broker reads on.
    over = time.monotonic() + 2.2 - told.seconds
    while time.monotonic() < over:
        assert refused(mesh)
    alarm.ctl("set_vm_memory_high_watermark", "0.4")
    deadline = time.monotonic() + 10
    while refused(mesh):
        assert time.monotonic() < deadline
    assert mesh.client.get("peaches").payload == {"value_cal": 1.5, "value_raw": "0.75"}

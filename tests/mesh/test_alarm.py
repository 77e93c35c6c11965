"""A broker that is low on memory takes no messages: callers learn it at once, and nothing is done late."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.core.constants import ALERTS
from dragonfly.core.exceptions import DriplineAMQPConnectionError, ServiceStartError
from dragonfly.core.listener import Listener
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.program import dragonfly
from tests.waiting import wait_until

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
    assert wait_until(lambda: refused(mesh), 10)
    told = dragonfly(alarm.address, "set", "peaches", "66", "--timeout", "1")
    assert (told.status, told.stdout, told.stderr.count("\n")) == (3, "", 1)
    assert REFUSES in told.stderr
    # Its deadline, and the clocks' tolerance of 1 s, are over before the broker reads on.
    over = time.monotonic() + 2.2 - told.seconds
    assert wait_until(lambda: time.monotonic() > over)
    alarm.ctl("set_vm_memory_high_watermark", "0.4")
    assert wait_until(lambda: not refused(mesh), 10)
    assert mesh.client.get("peaches").payload == {"value_cal": 1.5, "value_raw": "0.75"}


def test_a_name_is_not_taken_for_free_because_nobody_could_be_asked(alarm: RabbitMQNode, mesh: Mesh) -> None:
    failed: list[Exception] = []

    def start_another() -> None:
        try:
            mesh.serve("name: other\nendpoints:\n  - {name: peaches, module: kv_store_key}\n")
        except ServiceStartError as err:
            failed.append(err)

    starting = threading.Thread(target=start_another)
    starting.start()
    starting.join(2.5)  # it asks, and asks again
    assert starting.is_alive()
    alarm.ctl("set_vm_memory_high_watermark", "0.4")
    starting.join(10)
    assert "peaches, which other wants to serve, is already served by my_store" in str(failed)


def test_alerts_of_an_alarm_wait_in_bounds_and_are_told_afterwards_in_order(node: RabbitMQNode, mesh: Mesh) -> None:
    talker = mesh.serve("name: talker\nalert_buffer: 10\n")
    wire = talker._life.wire
    assert wire is not None
    with Listener(mesh.address, ALERTS, ["a.#"], "test") as listener:
        node.ctl("set_vm_memory_high_watermark", "0")
        try:
            talker.send_alert("a", "first")  # RabbitMQ tells of its alarm who sends
            assert wait_until(lambda: wire.connection.blocked is not None, 10)
            for number in range(30):
                talker.send_alert("a", number)
            assert wait_until(lambda: wire.publisher.tally.kept == 10)
            assert wait_until(lambda: wire.publisher.tally.dropped == 20)
        finally:
            node.ctl("set_vm_memory_high_watermark", "0.4")
        heard = [listener.next(timeout=10.0) for _ in range(11)]
    assert [json.loads(each.body)["payload"] for each in heard if each] == ["first", *range(20, 30)]

"""watchdog on a real broker: data that come, stay away and come back, and a broker that goes."""

from __future__ import annotations

import os
import signal

import pytest

from dragonfly.broker import Broker
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.program import Program, dragonfly
from tests.waiting import wait_until

AnyBroker = Broker | RabbitMQNode | RunningBroker
SHORT = ["--max-age", "0.5", "--interval", "0.1"]


def end(broker: Broker | RabbitMQNode) -> None:
    """End a broker at once; `start` brings it back under its address."""
    if isinstance(broker, RabbitMQNode):
        broker.kill()
    else:
        broker.stop()


def watchdog(address: str, *words: str) -> Program:
    """Start a watchdog and wait until it listens."""
    program = Program(address, "watchdog", "-v", *words)
    program.wait_for("stderr", "starting to watch")
    return program


def test_it_says_what_is_missing_and_what_is_back(broker: AnyBroker, mesh: Mesh) -> None:
    service = mesh.serve("name: talker\n")
    with watchdog(broker.address, *SHORT, "-k", "sensor_value.peaches", "sensor_value.*") as program:
        program.wait_for("stderr", r"\[CRITICAL\] \S+ -> no alert 'sensor_value\.peaches' has come for 0\.[5-9]\d* s")
        program.wait_for("stderr", r"no alert 'sensor_value\.\*' has come")
        service.send_alert("sensor_value.chips", 1)
        program.wait_for("stderr", r"\[Level 25\] \S+ -> data again: 'sensor_value\.\*', after")
        assert "data again: 'sensor_value.peaches'" not in program.stderr
        service.send_alert("sensor_value.peaches", 1)
        program.wait_for("stderr", r"data again: 'sensor_value\.peaches', after")
        program.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_with_status_0(number: signal.Signals, broker: AnyBroker) -> None:
    with watchdog(broker.address) as program:
        ended = program.end(number)
    assert ended.status == 0
    assert ended.seconds < 2.0
    assert ended.stderr.splitlines()[-1].endswith("... exiting")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_ends_with_status_130_where_nothing_is_known_yet(number: signal.Signals, broker: AnyBroker) -> None:
    with watchdog(broker.address, "--once", "--max-age", "30", "-k", "nothing") as program:
        ended = program.end(number)
    assert ended.status == 130
    assert ended.seconds < 2.0


def test_once_is_a_status_for_cron(broker: AnyBroker, mesh: Mesh) -> None:
    missing = dragonfly(broker.address, "watchdog", "--once", "--max-age", "0.3", "-k", "sensor_value.peaches")
    assert (missing.status, missing.stdout, missing.stderr.count("\n")) == (1, "", 1)
    assert "no alert 'sensor_value.peaches' has come for 0.3 s" in missing.stderr

    service = mesh.serve("name: talker\n")
    with watchdog(broker.address, "--once", "--max-age", "30", "-k", "sensor_value.#") as program:
        assert wait_until(
            lambda: program.process.poll() is not None or bool(service.send_alert("sensor_value.a", 1)), 10
        )
        assert program.wait().status == 0


def test_a_lost_broker_is_told_and_its_data_are_missing(own_broker: Broker | RabbitMQNode, mesh: Mesh) -> None:
    """The data come from a service on the same broker, as soon as that is there again."""
    with Mesh(own_broker.address) as there, watchdog(own_broker.address, *SHORT) as program:
        service = there.serve("name: talker\nheartbeat_interval: 0.1\n")
        assert wait_until(lambda: service.statistics["alerts_sent"] > 0)
        end(own_broker)
        program.wait_for("stderr", r"\[WARNING \] \S+ -> .*broker .*; it comes back by itself")
        program.wait_for("stderr", r"\[CRITICAL\] \S+ -> no alert has come for")
        own_broker.start()
        program.wait_for("stderr", r"listening again", timeout=60)
        program.wait_for("stderr", r"data again: alerts, after", timeout=60)
        assert program.end().status == 0


def test_a_broker_that_is_not_there_is_critical_and_status_3(unused_address: str) -> None:
    ended = dragonfly(unused_address, "watchdog")
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (3, "", 1)
    assert "[CRITICAL]" in ended.stderr
    assert os.strerror(111) in ended.stderr

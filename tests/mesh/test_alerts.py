"""Alerts on a real broker: who listens, who does not yet, and brokers that go and come back."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.listener import Listener
from dragonfly.core.message import utc_timestamp
from dragonfly.core.service import Service
from dragonfly.core.service_presence import Wire
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.raw import RawClient, Seen
from tests.waiting import wait_until

TALKER = "name: talker\n"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody after a reconnect, and send returned alerts again after a tenth of a second instead of one."""
    monkeypatch.setattr("dragonfly.core.amqp.alert_gate.HOLD_SECONDS", 0.0)
    monkeypatch.setattr("dragonfly.core.amqp.publisher.RETRY_SECONDS", 0.1)


def wire_of(service: Service) -> Wire:
    """Return what a running service talks with."""
    wire = service._life.wire
    assert wire is not None
    return wire


def publisher_of(service: Service) -> Publisher:
    """Return what a running service publishes with."""
    return wire_of(service).publisher


def reconnect(service: Service) -> None:
    """Have a service lose its connection, and wait until it is back on the mesh."""
    connection = wire_of(service).connection
    before = connection.reconnects
    connection.call(lambda: connection.drop("a test"))
    assert wait_until(lambda: connection.reconnects > before)


def payloads(raw: RawClient, queue: str, number: int, timeout: float = 5.0) -> list[Any]:
    """Return what the next alerts of a queue say."""
    return [json.loads(message.body)["payload"] for message in messages(raw, queue, number, timeout)]


def messages(raw: RawClient, queue: str, number: int, timeout: float = 5.0) -> list[Seen]:
    """Return the next messages of a queue, which must come."""
    found = []
    for _ in range(number):
        message = raw.next(queue, timeout)
        assert message is not None, f"{len(found)} of {number} came"
        found.append(message)
    return found


def warnings(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


def test_an_alert_that_nobody_listens_to_is_no_error(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    service = mesh.serve(TALKER)
    for number in range(10):
        service.send_alert("nobody.listens", number)
    publisher = publisher_of(service)
    assert wait_until(lambda: publisher.unfinished == 0)
    assert (publisher.tally.sent, publisher.tally.kept, publisher.tally.dropped) == (10, 0, 0)
    assert warnings(caplog) == []


@pytest.mark.usefixtures("quick")
def test_after_a_reconnect_alerts_wait_for_who_listens_and_keep_their_order(mesh: Mesh) -> None:
    service = mesh.serve(TALKER)
    publisher = publisher_of(service)
    with RawClient(mesh.address) as raw:
        heard = raw.listen("heard", "alerts", "heard")
        reconnect(service)
        for number in range(100):
            service.send_alert("unheard", number)
            service.send_alert("heard", number)
        assert payloads(raw, heard, 100) == list(range(100))
        assert wait_until(lambda: publisher.tally.kept == 100)
        late = raw.listen("late", "alerts", "unheard")
        found = messages(raw, late, 100)
        assert [json.loads(message.body)["payload"] for message in found] == list(range(100))
        assert len({message.properties.message_id for message in found}) == 100
        assert wait_until(lambda: publisher.unfinished == 0)
        assert raw.next(late, 0.3) is None
    assert (publisher.tally.sent, publisher.tally.kept, publisher.tally.dropped) == (200, 0, 0)


@pytest.mark.usefixtures("quick")
def test_a_while_after_a_reconnect_what_nobody_listens_to_is_let_go(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dragonfly.core.amqp.alert_gate.WINDOW_SECONDS", 0.5)
    service = mesh.serve(TALKER)
    reconnect(service)
    caplog.clear()
    for number in range(10):
        service.send_alert("nobody.listens", number)
    publisher = publisher_of(service)
    assert wait_until(lambda: publisher.tally.kept == 10)
    assert wait_until(lambda: publisher.unfinished == 0)
    assert (publisher.tally.sent, publisher.tally.kept, publisher.tally.dropped) == (10, 0, 0)
    assert warnings(caplog, logging.ERROR) == []


def test_what_an_outage_cost_is_one_critical_record(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dragonfly.core.amqp.alert_gate.WINDOW_SECONDS", 0.2)
    service = mesh.serve("name: small\nalert_buffer: 3\n")
    connection = wire_of(service).connection

    def lose_it() -> None:
        connection.drop("a test")
        for number in range(10):
            service.send_alert("number", number)

    with Listener(mesh.address, "alerts", ["number"], "a listener") as listener:
        connection.call(lose_it)
        found = [listener.next(5.0) for _ in range(3)]
    assert [json.loads(delivery.body)["payload"] for delivery in found if delivery] == [7, 8, 9]
    assert wait_until(lambda: bool(warnings(caplog, logging.CRITICAL)))
    assert warnings(caplog, logging.CRITICAL) == [
        "7 alerts were given up: they waited too long for the broker, or too many did"
    ]


def test_alerts_of_an_outage_come_in_order_with_the_time_when_they_were_made(
    own_broker: Broker | RabbitMQNode,
) -> None:
    with Mesh(own_broker.address) as mesh:
        service = mesh.serve(TALKER)
        with Listener(mesh.address, "alerts", ["#"], "before") as before:
            service.send_alert("count", 0)
            assert before.next(5.0) is not None
        went_away(own_broker)
        made = [utc_timestamp()]
        service.send_alert("count", 1)
        assert wait_until(lambda: utc_timestamp() != made[0])
        made.append(utc_timestamp())
        service.send_alert("count", 2)
        assert wait_until(lambda: utc_timestamp() != made[1])
        own_broker.start()
        with Listener(mesh.address, "alerts", ["count"], "after") as after:
            service.send_alert("count", 3)
            found = [after.next(10.0) for _ in range(3)]
            bodies = [json.loads(delivery.body) for delivery in found if delivery]
        assert [body["payload"] for body in bodies] == [1, 2, 3]
        assert [body["timestamp"] for body in bodies[:2]] == made


def went_away(broker: Broker | RabbitMQNode) -> None:
    """End a broker as a power cut does, so that it can be started again on its port."""
    if isinstance(broker, RabbitMQNode):
        broker.kill()
    else:
        broker.stop()

"""Alert consumers with a durable queue: nothing is lost, and nothing stored twice."""

from __future__ import annotations

import random
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core.exceptions import DriplineBusyError, ServiceStartError
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.program import Program, dragonfly, serve
from tests.mesh.raw import RawClient
from tests.mesh.recorder import TALKER, Recorder, configured, got, recorder, rows, say, stopped_while_it_handles
from tests.waiting import wait_until

ALERTS, KILLS = 3_000, 6


def waiting_in(mesh: Mesh, queue: str) -> int:
    """Return how many messages are in a queue."""
    with RawClient(mesh.address) as raw:
        return int(raw.channel.queue_declare(queue, passive=True).method.message_count)


def delete(mesh: Mesh, queue: str) -> None:
    with RawClient(mesh.address) as raw:
        raw.channel.queue_delete(queue)


def test_the_embedded_broker_refuses_a_queue_that_stays_in_one_sentence(tmp_path: Path) -> None:
    with Broker() as embedded:
        config = configured(tmp_path, queue="sensor_table_alerts")
        ended = dragonfly(embedded.address, "serve", "-c", str(config), "-b", embedded.address)
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (6, "", 1)
    assert "sensor_table cannot have its durable queue sensor_table_alerts: " in ended.stderr
    assert "no durable queues" in ended.stderr


@pytest.mark.rabbitmq
def test_a_queue_keeps_what_is_said_while_nobody_runs_and_what_a_stop_left(mesh: Mesh) -> None:
    consumer = recorder(mesh, queue="kept")
    talker = mesh.serve(TALKER)
    consumer._gate.clear()
    say(talker, "a", *range(10))
    assert consumer._entered.wait(5)
    stopped_while_it_handles(consumer)
    assert consumer._got == [0]
    say(talker, "a", *range(10, 20))
    assert wait_until(lambda: waiting_in(mesh, "kept") == 19)
    second = recorder(mesh, queue="kept")
    assert got(second, *range(1, 20))
    assert any(method.redelivered for method in second._methods)
    second.stop()
    assert waiting_in(mesh, "kept") == 0
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_an_alert_is_acknowledged_at_once_when_it_was_handled_and_not_before(mesh: Mesh) -> None:
    consumer = recorder(mesh, queue="kept")
    talker = mesh.serve(TALKER)
    wire = consumer._life.wire
    assert wire is not None
    connection = wire.connection
    say(talker, "a", 1)
    assert got(consumer, 1)
    consumer._gate.clear()
    consumer._entered.clear()
    say(talker, "a", 2, 3, 4)
    assert consumer._entered.wait(5)
    assert wait_until(lambda: consumer._alert_queue is not None and consumer._alert_queue.lane.depth == 2)
    before = connection.reconnects
    connection.call(lambda: connection.drop("a test"))
    assert wait_until(lambda: connection.reconnects > before)
    consumer._gate.set()
    # The first was acknowledged. The second was not, when its channel went, and so comes once more; what only waited
    # is handled when it comes again.
    assert got(consumer, 1, 2, 2, 3, 4)
    assert [method.redelivered for method in consumer._methods] == [False, False, True, True, True]
    consumer.stop()
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_two_services_share_the_work_of_one_queue(mesh: Mesh) -> None:
    consumers = [recorder(mesh, name=f"recorder{number}", queue="kept") for number in range(2)]
    talker = mesh.serve(TALKER)
    say(talker, "a", *range(1_000))
    assert wait_until(lambda: sum(len(consumer._got) for consumer in consumers) >= 1_000)
    assert sorted(value for consumer in consumers for value in consumer._got) == list(range(1_000))
    assert all(consumer._got == sorted(consumer._got) and consumer._got for consumer in consumers)
    for consumer in consumers:
        consumer.stop()
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_a_queue_of_other_flags_is_refused_in_one_sentence(mesh: Mesh) -> None:
    with RawClient(mesh.address) as raw:
        raw.channel.queue_declare("kept", durable=False, exclusive=False)
    with pytest.raises(ServiceStartError, match="^the broker refuses the queue kept: .*durable"):
        recorder(mesh, queue="kept")
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_a_consumer_waits_for_a_queue_that_another_keeps_for_itself_and_says_so_once(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dragonfly.core.alert_queue.RETRY_SECONDS", 0.05)
    consumer = Recorder(name="recorder", broker=mesh.address, keys="a.#", queue="kept")

    def told() -> list[str]:
        return [text for text in caplog.messages if text.startswith("the queue kept is opened again")]

    with RawClient(mesh.address) as raw:
        raw.channel.queue_declare("kept", durable=True)
        raw.channel.basic_consume("kept", lambda *delivery: None, exclusive=True)
        starting = threading.Thread(target=mesh.serve, args=(consumer,))
        starting.start()
        assert wait_until(lambda: bool(told()))
        assert wait_until(lambda: consumer._alert_queue is not None and consumer._alert_queue._round > 5)
        assert starting.is_alive()
    starting.join(5)
    assert not starting.is_alive()
    assert len(told()) == 1
    assert "exclusive" in told()[0]
    consumer.stop()
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_a_queue_that_somebody_deletes_is_made_again(mesh: Mesh) -> None:
    consumer = recorder(mesh, queue="kept")
    talker = mesh.serve(TALKER)
    delete(mesh, "kept")

    def is_heard() -> bool:
        say(talker, "a", 1)
        return bool(consumer._got)

    assert wait_until(is_heard)
    consumer.stop()
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_an_alert_that_finds_no_thread_comes_again_in_its_place(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = recorder(mesh, queue="kept")
    talker = mesh.serve(TALKER)
    assert consumer._alert_queue is not None
    put = consumer._alert_queue.lane.put
    calls = count(1)

    def put_but_the_third(action: Any, refused: Any) -> None:
        if next(calls) == 3:
            raise DriplineBusyError("this machine has no thread left")
        put(action, refused)

    monkeypatch.setattr(consumer._alert_queue.lane, "put", put_but_the_third)
    say(talker, "a", *range(10))
    assert wait_until(lambda: set(consumer._got) == set(range(10)))
    assert list(dict.fromkeys(consumer._got)) == list(range(10))
    consumer.stop()
    delete(mesh, "kept")


@pytest.mark.rabbitmq
def test_a_broker_killed_under_load_costs_no_alert_of_a_durable_queue(own_broker: RabbitMQNode) -> None:
    with Mesh(own_broker.address) as mesh:
        consumer = recorder(mesh, queue="kept")
        talker = mesh.serve(TALKER)
        # A queue younger than a second or so is lost with the broker, whatever that has confirmed: write it now.
        own_broker.ctl("eval", "mnesia:sync_log().")
        say(talker, "a", *range(500))
        assert wait_until(lambda: len(consumer._got) > 50)
        own_broker.kill()
        say(talker, "a", *range(500, 1_000))
        own_broker.start()
        wait_until(lambda: set(consumer._got) == set(range(1_000)), 20.0)
        assert sorted(set(range(1_000)) - set(consumer._got)) == [], str(talker.statistics)
        # What was not acknowledged comes again; each alert's first time is in order.
        assert list(dict.fromkeys(consumer._got)) == list(range(1_000))


@pytest.mark.rabbitmq
def test_a_consumer_killed_at_any_moment_loses_nothing_and_stores_nothing_twice(mesh: Mesh, tmp_path: Path) -> None:
    config = configured(tmp_path, queue="sensor_table_alerts")
    talker = mesh.serve(TALKER)

    def stored() -> int:
        return int(rows(tmp_path, "count(*)")[0][0])

    def consume() -> Program:
        return serve(mesh.address, str(config))

    program = consume()
    for number in range(ALERTS):
        talker.send_alert("sensor_value.count", {"value_raw": number})
    for moment in sorted(random.sample(range(ALERTS - 200), KILLS)):
        assert wait_until(lambda: stored() > moment, 10)  # noqa: B023 - it is called at once
        with program:  # kills it with SIGKILL
            pass
        program = consume()
    with program:
        assert wait_until(lambda: stored() >= ALERTS, 15)
        assert wait_until(lambda: waiting_in(mesh, "sensor_table_alerts") == 0)
        assert program.end().status == 0
    assert rows(tmp_path, "count(*), count(DISTINCT message_id)") == [(ALERTS, ALERTS)]
    assert [value for (value,) in rows(tmp_path, "value_raw")] == list(range(ALERTS))
    delete(mesh, "sensor_table_alerts")

"""Alert consumers on a real broker: order, queues that stay, crashes, outages."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core.alert_queue import PREFETCH
from dragonfly.core.exceptions import ServiceStartError
from dragonfly.loader import load
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.mesh import recorder as recorder_module
from tests.mesh.program import dragonfly, serve
from tests.mesh.raw import RawClient
from tests.mesh.recorder import EXAMPLE, TALKER, configured, got, recorder, rows, say, stopped_while_it_handles
from tests.waiting import wait_until


def test_alerts_come_one_after_another_in_order_with_what_the_sender_said(mesh: Mesh) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    say(talker, "a.peaches", *range(1_000))
    assert got(consumer, *range(1_000))
    first = consumer._methods[0]
    assert (first.exchange, first.routing_key, first.redelivered) == ("alerts", "a.peaches", False)
    assert len({method.message_id for method in consumer._methods}) == 1_000


@pytest.mark.parametrize("keys", ["a.#", ["a.*", "a.b.c"]], ids=["one key", "several keys"])
def test_only_what_is_wanted_comes(mesh: Mesh, keys: Any) -> None:
    consumer = recorder(mesh, keys=keys)
    talker = mesh.serve(TALKER)
    say(talker, "b", "not wanted")
    say(talker, "a.b", 1)
    say(talker, "a.b.c", 2)
    assert got(consumer, 1, 2)


def test_requests_are_answered_while_a_handler_hangs_and_alerts_come_while_an_endpoint_does(
    mesh: Mesh, tmp_path: Path
) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    consumer._gate.clear()
    say(talker, "a", 1)
    assert consumer._entered.wait(5)
    assert mesh.client.cmd("recorder", "ping").retcode == 0
    assert mesh.client.cmd("recorder", "this_consume", 1, 2).retcode == 306
    consumer._gate.set()
    assert got(consumer, 1)


def test_a_handler_that_hangs_holds_no_more_than_it_fetched(mesh: Mesh) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    consumer._gate.clear()
    say(talker, "a", *range(2 * PREFETCH))
    wire = talker._life.wire
    assert wire is not None
    assert wait_until(lambda: wire.publisher.unfinished == 0)
    lane = consumer._alert_queue.lane if consumer._alert_queue else None
    assert lane is not None
    assert wait_until(lambda: lane.depth >= PREFETCH - 1)
    assert lane.depth < PREFETCH
    consumer._gate.set()
    assert got(consumer, *range(2 * PREFETCH))


def test_what_a_handler_raises_and_what_cannot_be_read_stops_nothing(
    mesh: Mesh, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    say(talker, "a", 1, "raise", 2)
    assert got(consumer, 1, 2)
    with RawClient(mesh.address) as raw:
        raw.publish("a", b"\xff", exchange="alerts")
        raw.publish("a", b"{}", raw.properties(content_encoding=None), exchange="alerts")
    counts = consumer._life.counts
    assert wait_until(lambda: counts.values()["messages_undecodable"] == 2)
    say(talker, "a", 3)
    assert got(consumer, 1, 2, 3)
    assert counts.values()["alerts_failed"] == 1
    assert any(f"ZeroDivisionError: a test ({recorder_module.__file__}:" in text for text in caplog.messages)


def test_what_cannot_be_taken_now_comes_again_and_the_others_wait_behind_it(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dragonfly.core.alert_queue.FIRST_PAUSE", 0.02)
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    consumer._is_full.set()
    say(talker, "a", 1, 2)
    assert consumer._entered.wait(5)
    consumer._entered.clear()
    assert consumer._entered.wait(5), "it is tried again"
    assert consumer._got == []
    consumer._is_full.clear()
    assert got(consumer, 1, 2)
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert texts == ["recorder cannot take the alert a now, and tries again: no room"]
    assert consumer.statistics["alerts_failed"] == 0


def test_a_stop_does_not_wait_for_what_cannot_be_taken(mesh: Mesh) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    consumer._is_full.set()
    say(talker, "a", 1)
    assert consumer._entered.wait(5)
    began = time.monotonic()
    consumer.stop()
    assert time.monotonic() - began < 3
    assert consumer._got == []


def test_without_a_queue_of_its_own_its_alerts_end_with_it(mesh: Mesh) -> None:
    consumer = recorder(mesh)
    with RawClient(mesh.address) as raw, pytest.raises(Exception, match="RESOURCE_LOCKED|exclusive"):
        raw.channel.queue_declare("recorder.alerts", passive=True)
    consumer.stop()
    with RawClient(mesh.address) as raw, pytest.raises(Exception, match="NOT_FOUND|no queue"):
        raw.channel.queue_declare("recorder.alerts", passive=True)


def test_a_second_consumer_of_the_name_takes_no_alert(mesh: Mesh) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    with pytest.raises(ServiceStartError, match="recorder is already served by"):
        recorder(mesh)
    say(talker, "a", *range(10))
    assert got(consumer, *range(10))


def test_a_clean_stop_lets_the_handler_finish_and_begins_no_other_alert(mesh: Mesh) -> None:
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    consumer._gate.clear()
    say(talker, "a", *range(10))
    assert consumer._entered.wait(5)
    stopped_while_it_handles(consumer)
    assert consumer._got == [0]


def test_a_handler_that_hangs_does_not_keep_a_stop_longer_than_stop_timeout(
    mesh: Mesh, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = recorder(mesh, stop_timeout=0.3)
    talker = mesh.serve(TALKER)
    consumer._gate.clear()
    say(talker, "a", 1)
    assert consumer._entered.wait(5)
    began = time.monotonic()
    consumer.stop()
    assert time.monotonic() - began < 3.0
    assert "recorder leaves requests unfinished on recorder.alerts" in caplog.messages
    consumer._gate.set()


def test_bindings_that_went_with_the_exchange_are_made_again(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragonfly.core.alert_queue.BIND_AGAIN_SECONDS", 0.2)
    consumer = recorder(mesh)
    talker = mesh.serve(TALKER)
    with RawClient(mesh.address) as raw:
        raw.channel.exchange_delete("alerts")
        raw.channel.exchange_declare("alerts", "topic")

    def is_heard() -> bool:
        say(talker, "a", 1)
        return bool(consumer._got)

    assert wait_until(is_heard)


def test_a_consumer_comes_back_with_its_bindings_and_gets_what_was_said_meanwhile(
    own_broker: Broker | RabbitMQNode, caplog: pytest.LogCaptureFixture
) -> None:
    with Mesh(own_broker.address) as mesh:
        consumer = recorder(mesh)
        talker = mesh.serve(TALKER)
        say(talker, "a", 0)
        assert got(consumer, 0)
        own_broker.kill() if isinstance(own_broker, RabbitMQNode) else own_broker.stop()
        say(talker, "a", *range(1, 101))
        own_broker.start()
        # It sends before the consumer is bound again, is told that nobody listens, and sends again.
        assert got(consumer, *range(101), timeout=20.0)
        assert "recorder is back on the mesh" in caplog.messages


def test_keys_of_the_command_line_replace_those_of_the_file(broker: RunningBroker, tmp_path: Path) -> None:
    config = configured(tmp_path)
    with Mesh(broker.address) as mesh, serve(broker.address, str(config), "-k", "other.*", "-k", "more.#") as service:
        talker = mesh.serve(TALKER)
        say(talker, "sensor_value.peaches", {"value_raw": 1})
        say(talker, "other.peaches", {"value_raw": 2})
        say(talker, "more.chips", {"value_raw": 3})
        assert wait_until(lambda: rows(tmp_path, "value_raw") == [(2,), (3,)]), rows(tmp_path, "value_raw")
        assert "keys are for alert consumers" not in service.stderr
        assert service.end().status == 0


def test_the_example_stores_sensor_values_and_says_what_is_none(
    mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = load(EXAMPLE)
    mesh.serve(loaded.build_service(broker=mesh.address, file=str(tmp_path / "values.db")))
    talker = mesh.serve(TALKER)
    say(talker, "sensor_value.peaches", {"value_raw": "0.75", "value_cal": 1.5}, "no sensor value")
    say(talker, "sensor_value.chips", {"value_raw": "1.75"})
    assert wait_until(lambda: len(rows(tmp_path, "endpoint")) == 2)
    stored = rows(tmp_path, "endpoint, value_raw, value_cal, length(message_id)")
    assert stored == [("peaches", "0.75", 1.5, 36), ("chips", "1.75", None, 36)]
    assert any(
        "peaches: a sensor value has a value_raw, 'no sensor value' has none" in text for text in caplog.messages
    )


def test_the_example_says_that_its_file_cannot_be_used(broker: RunningBroker, tmp_path: Path) -> None:
    config = configured(tmp_path, file=tmp_path / "nowhere" / "values.db")
    ended = dragonfly(broker.address, "serve", "-c", str(config), "-b", broker.address)
    assert (ended.status, ended.stderr.count("\n")) == (6, 1)
    assert "sensor_table cannot use the file" in ended.stderr


def test_a_class_without_a_handler_is_told_with_its_line(broker: RunningBroker, tmp_path: Path) -> None:
    config = tmp_path / "bare.yaml"
    config.write_text("name: bare\nmodule: Gogol\nkeys: a.#\n")
    ended = dragonfly(broker.address, "serve", "-c", str(config), "-b", broker.address)
    assert ended.status == 5
    assert "bare: AlertConsumer needs a method this_consume(message, method)" in ended.stderr

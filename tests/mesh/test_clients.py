"""Clients and alerts on a real broker: connections that go, many threads, what is kept and what is told."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPRoutingKeyError,
    DriplineMethodNotSupportedError,
    DriplineTimeoutError,
    DriplineValueError,
)
from dragonfly.core.interface import Interface
from dragonfly.core.listener import Listener
from dragonfly.core.service import Service
from dragonfly.core.service_presence import Wire
from dragonfly.testing import Mesh
from tests.mesh.program import dragonfly
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"


def wire_of(service: Service) -> Wire:
    """Return what a running service talks with."""
    assert service._life.wire is not None
    return service._life.wire


def drop(interface: Interface) -> None:
    """Have an interface lose its connection."""
    gone = threading.Event()
    interface._connection.on_down.append(lambda failure: gone.set())
    interface._connection.call(lambda: interface._connection.drop("a test"))
    assert gone.wait(5)


def answers(mesh: Mesh, name: str) -> bool:
    """Tell whether a name is served; what was in a queue when it was deleted is never answered."""
    try:
        return mesh.client.get(name, timeout=0.5).retcode == 0
    except DriplineTimeoutError:
        return False


def test_the_interface_of_a_script(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    with Interface(mesh.address) as client:
        assert client.get("peaches").payload == {"value_cal": 1.5, "value_raw": "0.75"}
        assert client.set("chips", 2).payload == {"value_cal": 6.0, "value_raw": "2"}
        assert client.config("peaches", "log_interval").payload == {"values": [30]}
        assert client.cmd("peaches", "ping").service_name == "my_store"
        assert client.send("my_price_list", "*IDN?").retcode == 0
        with pytest.raises(DriplineMethodNotSupportedError):
            client.run("my_price_list")
        with pytest.raises(DriplineValueError, match="has no <nosuch> attribute"):
            client.get("peaches.nosuch")
        with pytest.raises(DriplineAMQPRoutingKeyError):
            client.get("plums")


@pytest.mark.parametrize("target", ["x" * 256, "p\ud800"])
def test_a_target_that_amqp_cannot_carry_is_refused_and_the_client_goes_on(mesh: Mesh, target: str) -> None:
    service = mesh.serve(TUTORIAL)
    client = mesh.interface()
    with pytest.raises(DriplineValueError):
        client.get(target)
    with pytest.raises(DriplineValueError):
        service.send_alert(target, 1)
    with pytest.raises(DriplineValueError):
        Listener(mesh.address, "alerts", [target], "a listener")
    assert client.get("peaches").retcode == 0


def test_many_threads_share_one_interface_and_each_gets_its_own_reply(mesh: Mesh) -> None:
    mesh.serve("name: many\nendpoints:\n" + "".join(f"  - {{name: k{n}, module: kv_store_key}}\n" for n in range(8)))
    client = mesh.interface()
    wrong: list[object] = []

    def work(number: int) -> None:
        for value in range(50):
            client.set(f"k{number}", f"{number}.{value}")
            payload = client.get(f"k{number}").payload
            if payload != {"value_raw": f"{number}.{value}"}:
                wrong.append(payload)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_one_connection_and_one_reply_queue_serve_all_requests_of_a_client(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    with RawClient(mesh.address) as raw:
        queue = raw.listen("requests-of-the-test", "requests", "peaches")
        client = mesh.interface()
        for _ in range(3):
            client.get("peaches")
        reply_queues = set()
        for _ in range(3):
            seen = raw.next(queue)
            assert seen is not None
            reply_queues.add(seen.properties.reply_to)
            assert seen.properties.content_encoding == "application/json"
            assert seen.properties.app_id == "dripline.core.Service"
            assert 9_000 < int(seen.properties.expiration) <= 10_000
            late = seen.properties.headers["deadline"] / 1000 - time.time()
            assert 8 < late <= 10.1
            assert sorted(json.loads(seen.body)) == ["msgop", "msgtype", "payload", "sender_info", "timestamp"]
        assert len(reply_queues) == 1


def test_a_request_in_flight_is_told_at_once_that_the_connection_was_lost_and_the_next_one_works(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    client = mesh.interface(timeout=10.0)
    client.get("peaches")
    errors: list[Exception] = []
    with Listener(mesh.address, "requests", ["#"], "swallow") as swallow:  # nothing comes back, nobody answers

        def ask() -> None:
            try:
                client.get("plums")
            except DriplineAMQPConnectionError as err:
                errors.append(err)

        asking = threading.Thread(target=ask)
        asking.start()
        assert swallow.next(5.0) is not None
        drop(client)
        asking.join(2)
    assert len(errors) == 1
    assert "was lost" in str(errors[0])
    assert client.get("peaches").retcode == 0


def test_alerts_made_without_a_connection_are_kept_and_sent_in_order_and_none_is_lost(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragonfly.core.amqp.alert_gate.HOLD_SECONDS", 0.0)
    service = mesh.serve(TUTORIAL)
    with RawClient(mesh.address) as raw:
        queue = raw.listen("alerts-of-the-test", "alerts", "sensor_value.#")
        connection = wire_of(service).connection
        for number in range(300):
            service.send_alert("sensor_value.count", {"value_raw": number})
            if number in (100, 200):
                connection.call(lambda: connection.drop("a test"))
        seen: dict[str, int] = {}
        while len(seen) < 300:
            message = raw.next(queue)
            assert message is not None, f"{len(seen)} of 300"
            seen.setdefault(message.properties.message_id, json.loads(message.body)["payload"]["value_raw"])
        assert list(seen.values()) == sorted(seen.values()) == list(range(300))
        assert wait_until(lambda: wire_of(service).publisher.unfinished == 0)


def test_alerts_are_bounded_and_the_oldest_goes(mesh: Mesh) -> None:
    service = mesh.serve("name: small\nalert_buffer: 3\n")
    with RawClient(mesh.address) as raw:
        queue = raw.listen("alerts-of-the-test", "alerts", "#")
        connection = wire_of(service).connection

        def lose_it() -> None:
            connection.drop("a test")
            for number in range(10):
                service.send_alert("number", number)

        connection.call(lose_it)
        kept = [raw.next(queue) for _ in range(3)]
        assert [json.loads(message.body)["payload"] for message in kept if message] == [7, 8, 9]
        assert raw.next(queue, timeout=0.3) is None
        assert wire_of(service).publisher.tally.dropped == 7


def test_after_close_who_waits_is_told_at_once_and_no_request_is_sent_any_more(mesh: Mesh) -> None:
    client = Interface(mesh.address, timeout=10.0)
    errors: list[Exception] = []
    with Listener(mesh.address, "requests", ["#"], "swallow") as swallow:

        def ask() -> None:
            try:
                client.get("plums")
            except DriplineAMQPConnectionError as err:
                errors.append(err)

        asking = threading.Thread(target=ask)
        asking.start()
        assert swallow.next(5.0) is not None
        client.close()
        asking.join(2)
    assert [str(error) for error in errors] == [f"the connection to broker {mesh.address} was closed"]
    for closed in (client, unused := Interface(mesh.address)):
        unused.close()
        with pytest.raises(DriplineAMQPConnectionError, match="was closed"):
            closed.get("plums")


def test_a_listener_says_that_it_missed_something(mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
    service = mesh.serve("name: chatty\n")
    with Listener(mesh.address, "alerts", ["#"], "patient") as listener:
        for _ in range(2):
            listener._connection.call(lambda: listener._connection.drop("a test"))
            assert wait_until(lambda: "listening again; what was said meanwhile is missing" in caplog.messages)
            service.send_alert("number", 1)
            assert listener.next(5.0) is not None
            caplog.clear()


def test_a_service_whose_queue_is_deleted_declares_it_again(mesh: Mesh) -> None:
    service = mesh.serve(TUTORIAL)
    assert mesh.client.get("peaches").retcode == 0
    channel: list[object] = []
    connection = wire_of(service).connection
    # Only its own connection may delete an exclusive queue.
    connection.call(lambda: connection.open_channel(lambda opened: channel.append(opened.queue_delete("my_store"))))
    assert wait_until(lambda: bool(channel))
    assert wait_until(lambda: answers(mesh, "peaches"))


def test_a_service_whose_exchange_was_deleted_and_made_again_is_heard_again(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragonfly.core.service_binding.SELF_PING_SECONDS", 0.2)
    mesh.serve(TUTORIAL)
    with RawClient(mesh.address) as raw:
        raw.channel.exchange_delete("requests")
        raw.channel.exchange_declare("requests", "topic")
    client = mesh.interface(confirm_retcodes=False)
    assert client.get("peaches").retcode == 102
    assert wait_until(lambda: client.get("peaches").retcode == 0)


def test_every_service_answers_a_broadcast_once(mesh: Mesh) -> None:
    for number in range(3):
        mesh.serve(f"name: store{number}\n")
    replies = mesh.client.request_all("broadcast.ping", 9, {"values": []}, timeout=5.0)
    assert sorted(reply.service_name for reply in replies) == ["store0", "store1", "store2"]


def test_a_broadcast_on_the_command_line_has_a_line_for_each_service_and_ends_when_it_is_quiet(mesh: Mesh) -> None:
    for number in range(3):
        mesh.serve(f"name: store{number}\n")
    done = dragonfly(mesh.address, "cmd", "broadcast.ping", "--quiet-time", "0.3", "--timeout", "20")
    assert done.status == 0
    assert sorted(done.stdout.splitlines()) == [
        f"broadcast.ping(ret:0): [store{number}]-> {{'values': [None]}}" for number in range(3)
    ]
    assert done.seconds < 10
    shown = dragonfly(mesh.address, "cmd", "broadcast.ping", "--json").stdout.splitlines()
    assert sorted(json.loads(line)["service"] for line in shown) == ["store0", "store1", "store2"]
    refused = dragonfly(mesh.address, "get", "broadcast.log_interval", text="y\n")
    assert (refused.status, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    failed = dragonfly(mesh.address, "get", "broadcast.log_interval", "--yes")
    assert (failed.status, len(failed.stdout.splitlines())) == (1, 3)


def test_a_listener_that_does_not_keep_up_loses_the_oldest_and_stops_nobody(mesh: Mesh) -> None:
    service = mesh.serve("name: chatty\n")
    with Listener(mesh.address, "alerts", ["#"], "slow", limit=50) as slow:
        for number in range(3_000):
            service.send_alert("number", number)
        assert wait_until(lambda: wire_of(service).publisher.unfinished == 0, 10)
        numbers = []
        while (delivery := slow.next(1.0)) is not None:
            numbers.append(json.loads(delivery.body)["payload"])
    assert numbers == sorted(numbers)
    assert numbers[-1] == 2_999
    assert 50 <= len(numbers) < 3_000

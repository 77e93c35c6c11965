"""What a service has done and is busy with, and the alerts that say that it is there."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dragonfly.core.constants import OP_GET
from dragonfly.core.service import Service
from dragonfly.testing import ManualClock, Mesh
from tests.mesh.hung import hanging
from tests.mesh.instruments import GateEndpoint
from tests.mesh.raw import RawClient
from tests.mesh.test_lockout import reconnect
from tests.waiting import wait_until

STORE = """
name: shop
endpoints:
  - {name: peaches, module: kv_store_key, initial_value: 1, log_on_set: true}
"""
FIELDS = [
    *("requests_ok", "requests_failed", "requests_expired", "requests_refused", "messages_undecodable"),
    *("alerts_sent", "alerts_kept", "alerts_dropped", "alerts_failed", "reconnects", "lanes", "uptime_s"),
]


def statistics(mesh: Mesh, service: str = "shop") -> dict[str, Any]:
    reply = mesh.client.get(f"{service}.statistics")
    assert reply.retcode == 0
    payload: dict[str, Any] = reply.payload
    assert list(payload) == FIELDS
    return payload


def counted(mesh: Mesh, before: dict[str, Any]) -> dict[str, int]:
    """Return what was counted since; a look at the statistics is one request."""
    now = statistics(mesh)
    moved = {name: now[name] - before[name] for name in FIELDS[:10] if now[name] != before[name]}
    moved["requests_ok"] -= 1
    return {name: number for name, number in moved.items() if number}


def test_a_new_service_has_done_nothing(mesh: Mesh, clock: ManualClock) -> None:
    mesh.serve(STORE, clock)
    clock.advance(100)
    assert statistics(mesh) == {
        **dict.fromkeys(FIELDS[:10], 0),
        "lanes": {"shop": {"depth": 0, "busy_s": 0.0}, "peaches": {"depth": 0, "busy_s": 0.0}},
        "uptime_s": 100,
    }
    assert mesh.client.get("shop", timeout=2.0).retcode == 306
    assert list(mesh.client.request("shop", OP_GET, {"values": ["statistics"]}).payload) == FIELDS


def test_requests_are_counted_by_how_they_end(mesh: Mesh) -> None:
    mesh.serve(STORE)
    before = statistics(mesh)
    for _ in range(3):
        mesh.client.get("peaches")
    mesh.client.cmd("peaches", "ping")
    mesh.client.cmd("peaches", "unlock")  # code 1 is a success
    assert counted(mesh, before) == {"requests_ok": 5}
    before = statistics(mesh)
    mesh.client.get("peaches.no_such")
    mesh.client.cmd("peaches", "ping", lockout_key="none")
    mesh.client.run("peaches")
    assert counted(mesh, before) == {"requests_failed": 3}
    before = statistics(mesh)
    mesh.client.set("peaches", 5)
    assert wait_until(lambda: statistics(mesh)["alerts_sent"] - before["alerts_sent"] == 1)


def test_what_cannot_be_read_is_counted(mesh: Mesh) -> None:
    mesh.serve(STORE)
    before = statistics(mesh)
    with RawClient(mesh.address) as raw:
        for body in (b"no json", b"[]", b'{"msgtype": 99}'):
            raw.publish("peaches", body)
            assert raw.next() is not None
    assert counted(mesh, before) == {"messages_undecodable": 3}


def test_probes_are_not_counted(mesh: Mesh) -> None:
    service = mesh.serve(STORE)
    before = statistics(mesh)
    with RawClient(mesh.address) as raw:
        body = {"msgtype": 3, "msgop": 9, "payload": {"values": []}, "sender_info": {}, "timestamp": ""}
        for key in ("peaches.ping", "peaches.no_such", "shop.ping", "broadcast.ping"):
            raw.publish(key, json.dumps(body).encode(), raw.properties(headers={"probe": True}))
            assert raw.next() is not None
    # A service asks for its names when it comes back.
    reconnect(service)
    assert wait_until(lambda: mesh.client.get("peaches").retcode == 0)
    assert set(counted(mesh, before)) <= {"requests_ok", "reconnects"}
    assert statistics(mesh)["reconnects"] == 1
    assert statistics(mesh)["requests_failed"] == before["requests_failed"]


def test_a_lane_that_hangs_is_seen_and_so_is_what_waits_and_expires(mesh: Mesh, tmp_path: Path) -> None:
    service = Service(name="shop", broker=mesh.address, clock_tolerance=0)
    service.add_endpoint(GateEndpoint(name="gate", directory=str(tmp_path)))
    mesh.serve(service)
    before = statistics(mesh)
    with hanging(mesh, tmp_path), ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(mesh.interface(False).set, "gate", number, timeout=0.2) for number in range(2)]
        assert wait_until(lambda: statistics(mesh)["lanes"]["gate"]["depth"] == 2)
        assert statistics(mesh)["lanes"]["gate"]["busy_s"] > 0
        assert statistics(mesh)["lanes"]["shop"] == {"depth": 0, "busy_s": 0.0}
        for each in asked:
            assert each.exception() is not None
    assert wait_until(lambda: statistics(mesh)["requests_expired"] - before["requests_expired"] == 2)
    assert statistics(mesh)["lanes"]["gate"] == {"depth": 0, "busy_s": 0.0}
    assert not (tmp_path / "sets").exists()


def test_statistics_are_read_and_not_set(mesh: Mesh) -> None:
    mesh.serve(STORE)
    assert mesh.client.set("shop.statistics", {}).retcode == 306
    assert mesh.client.cmd("shop", "statistics").retcode == 304
    assert mesh.client.get("peaches.statistics").retcode == 304


def test_a_service_says_that_it_is_there_when_it_is_told_to(mesh: Mesh, clock: ManualClock) -> None:
    with RawClient(mesh.address) as raw:
        queue = raw.listen("beats", "alerts", "heartbeat.#")
        mesh.serve(STORE.replace("endpoints:", "heartbeat_interval: 60\nendpoints:"), clock)
        for uptime in (0, 60, 120):
            heard = raw.next(queue)
            assert heard is not None
            assert heard.method.routing_key == "heartbeat.shop"
            message = json.loads(heard.body)
            assert message["payload"] == {"interval_s": 60, "uptime_s": uptime}
            assert message["sender_info"]["service_name"] == "shop"
            clock.advance(59)
            assert raw.next(queue, 0.05) is None
            clock.advance(1)


def test_by_default_no_service_does(mesh: Mesh, clock: ManualClock) -> None:
    with RawClient(mesh.address) as raw:
        queue = raw.listen("beats", "alerts", "#")
        mesh.serve(STORE, clock)
        clock.advance(100_000)
        mesh.client.set("peaches", 5)
        heard = raw.next(queue)
        assert heard is not None and heard.method.routing_key == "sensor_value.peaches"
        assert raw.next(queue, 0.05) is None

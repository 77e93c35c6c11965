"""Locks over the mesh: what a client is answered, and what no hung instrument and no reconnect takes away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineAccessDenied, DriplineInvalidKey
from dragonfly.core.message import ReplyMessage
from dragonfly.core.service import Service
from dragonfly.testing import ManualClock, Mesh
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.hung import hanging
from tests.mesh.program import dragonfly
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32
INSTRUMENTS = Path(__file__).with_name("instruments.py")
TREE = """
name: shop
endpoints:
  - name: store
    module: kv_store
    endpoints:
      - {name: peaches, module: kv_store_key, initial_value: 1, log_interval: 30}
      - {name: plums, module: kv_store_key, initial_value: 1}
  - {name: chips, module: kv_store_key, initial_value: 1}
"""
GATE = f"""
  - {{name: gate, module: GateEndpoint, module_path: {INSTRUMENTS}, directory: DIRECTORY}}
"""


def locked(mesh: Mesh, *names: str) -> list[str]:
    names = names or ("shop", "store", "peaches", "plums", "chips")
    return [name for name in names if mesh.client.get(f"{name}.is_locked").payload == {"values": [True]}]


def code(reply: ReplyMessage) -> int:
    return reply.retcode


def test_a_lock_keeps_everybody_without_the_key_from_acting_and_lets_them_read(mesh: Mesh) -> None:
    mesh.serve(TREE)
    client = mesh.client
    reply = client.cmd("peaches", "lock")
    key = reply.payload["lockout-key"]
    assert (reply.retcode, reply.payload) == (0, {"lockout-key": key, "key": key})
    for lockout_key in (None, OTHER_KEY):
        refused = [
            client.set("peaches", 5, lockout_key=lockout_key),
            client.set("peaches.log_interval", 5, lockout_key=lockout_key),
            client.config("peaches", "log_interval", 5, lockout_key=lockout_key),
            client.run("peaches", lockout_key=lockout_key),
            client.send("peaches", "x", lockout_key=lockout_key),
            client.cmd("peaches", "lock", lockout_key=lockout_key),
            client.cmd("peaches", "unlock", lockout_key=lockout_key),
        ]
        assert [code(each) for each in refused] == [307] * 7
        assert not any(key in each.return_msg for each in refused)
        reading = [
            client.get("peaches", lockout_key=lockout_key),
            client.get("peaches.log_interval", lockout_key=lockout_key),
            client.config("peaches", "log_interval", lockout_key=lockout_key),
            *(client.cmd("peaches", name, lockout_key=lockout_key) for name in ("ping", "describe", "lock_status")),
        ]
        assert [code(each) for each in reading] == [0] * 6
        assert not any(key in json.dumps(each.to_dict()) for each in reading)
    assert client.get("peaches").payload["value_raw"] == "1"
    assert client.set("peaches", 5, lockout_key=key.upper()).retcode == 0
    assert client.get("peaches").payload["value_raw"] == "5"


def test_the_refusal_says_who_has_the_lock(mesh: Mesh) -> None:
    mesh.serve(TREE)
    mesh.client.cmd("peaches", "lock")
    status = mesh.client.cmd("peaches", "lock_status").payload
    info = mesh.client.get("peaches").sender_info
    assert (status["user"], status["host"]) == (info["username"], info["hostname"])
    with pytest.raises(DriplineAccessDenied) as caught:
        mesh.interface().set("peaches", 5)
    who = f"locked by {info['username']} on {info['hostname']} since {status['since']}"
    assert str(caught.value) == f"Endpoint peaches is locked; lockout_key required ({who})"


@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("key", ["", "abcd", KEY + "0", "g" * 32, 5, True, [KEY], {}])
def test_a_key_that_is_none_is_308_whether_anything_is_locked_or_not(mesh: Mesh, key: Any, is_locked: bool) -> None:
    mesh.serve(TREE)
    if is_locked:
        mesh.client.cmd("peaches", "lock")
    client = mesh.client
    replies = [
        client.get("peaches", lockout_key=key),
        client.set("peaches", 5, lockout_key=key),
        client.cmd("peaches", "ping", lockout_key=key),
        client.cmd("peaches", "lock", lockout_key=key),
        client.cmd("peaches", "unlock", lockout_key=key, force=True),
    ]
    assert [code(reply) for reply in replies] == [308] * 5
    assert client.get("peaches").payload["value_raw"] == "1"
    with pytest.raises(DriplineInvalidKey):
        mesh.interface().set("peaches", 5, lockout_key=key)


@pytest.mark.parametrize("key", [KEY, KEY.upper(), "01234567-89ab-cdef-0123-456789abcdef"])
def test_any_spelling_of_the_key_opens(mesh: Mesh, key: str) -> None:
    mesh.serve(TREE)
    assert mesh.client.cmd("peaches", "lock", lockout_key=key).payload == {"lockout-key": KEY, "key": KEY}
    assert mesh.client.set("peaches", 5, lockout_key=KEY).retcode == 0
    reply = mesh.client.cmd("peaches", "unlock", lockout_key=key)
    assert (reply.retcode, reply.return_msg, reply.payload) == (0, "unlocked", {"values": [None]})


def test_a_provider_and_a_service_lock_all_below_or_nothing(mesh: Mesh) -> None:
    mesh.serve(TREE)
    client = mesh.client
    client.cmd("plums", "lock", lockout_key=OTHER_KEY)
    for target in ("store", "shop"):
        reply = client.cmd(target, "lock", lockout_key=KEY)
        assert reply.retcode == 307 and "Endpoint plums is locked; another" in reply.return_msg
        assert locked(mesh) == ["plums"]
    client.cmd("plums", "unlock", lockout_key=OTHER_KEY)
    assert client.cmd("store", "lock").retcode == 0
    assert locked(mesh) == ["store", "peaches", "plums"]
    assert client.cmd("store", "unlock", force=True).return_msg == "unlocked"
    key = client.cmd("shop", "lock").payload["key"]
    assert locked(mesh) == ["shop", "store", "peaches", "plums", "chips"]
    assert client.set("store.logging_status", "on").retcode == 307
    assert client.set("chips", 5, lockout_key=key).retcode == 0
    assert client.cmd("chips", "unlock", lockout_key=key).retcode == 0
    assert client.cmd("shop", "unlock", lockout_key=key).retcode == 0
    assert locked(mesh) == []
    assert client.cmd("shop", "unlock").retcode == 1


def test_a_lease_ends_by_itself(mesh: Mesh, clock: ManualClock) -> None:
    mesh.serve(TREE, clock)
    mesh.client.cmd("store", "lock", lease=60)
    clock.advance(40)
    assert mesh.client.cmd("plums", "lock_status").payload["lease"] == 20
    assert mesh.client.set("plums", 5).retcode == 307
    clock.advance(20)
    assert locked(mesh) == []
    assert mesh.client.set("plums", 5).retcode == 0
    assert mesh.client.cmd("store", "unlock").retcode == 1


@pytest.mark.parametrize("lease", [0, -5, "soon", [5], True, None])
def test_a_lease_that_is_none_is_304_and_null_is_for_ever(mesh: Mesh, lease: Any) -> None:
    mesh.serve(TREE)
    reply = mesh.client.cmd("peaches", "lock", lease=lease)
    assert reply.retcode == (0 if lease is None else 304)
    assert locked(mesh, "peaches") == ([] if reply.failed else ["peaches"])


def test_the_command_line_succeeds_where_there_was_nothing_to_unlock(mesh: Mesh, broker: RunningBroker) -> None:
    mesh.serve(TREE)
    done = dragonfly(broker.address, "cmd", "peaches.unlock")
    assert (done.status, done.stdout) == (0, "peaches.unlock(ret:1): {'values': [None]}\n")
    assert "peaches is not locked" in done.stderr
    assert dragonfly(broker.address, "cmd", "peaches.lock", "--lockout-key", KEY).status == 0
    refused = dragonfly(broker.address, "set", "peaches", "5")
    assert refused.status == 1 and "(ret:307)" in refused.stdout
    assert dragonfly(broker.address, "set", "peaches", "5", "--lockout-key", KEY).status == 0
    done = dragonfly(broker.address, "cmd", "peaches.unlock", "force=true")
    assert done.status == 0 and "unlocked" in done.stderr


def test_no_payload_can_say_that_somebody_else_asks(mesh: Mesh) -> None:
    mesh.serve(TREE)
    for origin in (["root", "console", KEY, True], {"user": "root"}, None):
        for command in ("lock", "unlock"):
            reply = mesh.client.cmd("peaches", command, origin=origin)
            assert (reply.retcode, locked(mesh, "peaches")) == (303, [])
            assert mesh.client.cmd("peaches", command, None, origin).retcode == 303


def test_an_original_client_locks_and_unlocks(mesh: Mesh) -> None:
    mesh.serve(TREE)
    with RawClient(mesh.address) as raw:
        fields = {
            "msgtype": 3,
            "msgop": 9,
            "timestamp": "2026-01-01T00:00:00Z",
            "sender_info": {"username": "old", "hostname": "vax"},
            "payload": {"values": ["lock"]},
            "lockout_key": KEY,
        }
        raw.publish("peaches", json.dumps(fields).encode())
        answered = raw.next()
        assert answered is not None
        assert json.loads(answered.body)["payload"]["key"] == KEY
        assert mesh.client.cmd("peaches", "lock_status").payload["user"] == "old"
        raw.publish("peaches", json.dumps({**fields, "payload": {"values": ["unlock"]}}).encode())
        answered = raw.next()
        assert answered is not None
        reply = json.loads(answered.body)
        assert (reply["retcode"], reply["return_msg"]) == (0, "unlocked")


def test_a_lock_is_there_after_a_reconnect(mesh: Mesh) -> None:
    service = mesh.serve(TREE)
    mesh.client.cmd("store", "lock", lockout_key=KEY)
    reconnect(service)
    assert wait_until(lambda: mesh.client.get("peaches").retcode == 0)
    assert mesh.client.set("peaches", 5).retcode == 307
    assert mesh.client.set("peaches", 5, lockout_key=KEY).retcode == 0


def reconnect(service: Service) -> None:
    wire = service._life.wire
    assert wire is not None
    before = wire.connection.reconnects
    wire.connection.call(lambda: wire.connection.drop("a test"))
    assert wait_until(lambda: wire.connection.reconnects > before)


def test_what_touches_no_device_is_answered_while_the_device_hangs(mesh: Mesh, tmp_path: Path) -> None:
    mesh.serve(TREE + GATE.replace("DIRECTORY", str(tmp_path)))
    client = mesh.client
    key = client.cmd("gate", "lock").payload["key"]
    with hanging(mesh, tmp_path):
        assert client.cmd("gate", "ping", timeout=2.0).retcode == 0
        assert client.cmd("gate", "describe", timeout=2.0).payload["lock"]["locked"] is True
        assert client.cmd("gate", "lock_status", timeout=2.0).payload["locked"] is True
        assert client.get("shop.statistics", timeout=2.0).payload["lanes"]["gate"]["busy_s"] > 0
        assert client.cmd("gate", "unlock", force=True, timeout=2.0).return_msg == "unlocked"
        assert client.cmd("gate", "lock_status", timeout=2.0).payload["locked"] is False
        assert client.cmd("shop", "lock", lockout_key=key, timeout=2.0).retcode == 0
        assert client.cmd("shop", "unlock", force=True, timeout=2.0).return_msg == "unlocked"
    assert client.set("gate", 5).retcode == 0

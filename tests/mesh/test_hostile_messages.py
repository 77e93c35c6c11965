"""Whatever arrives, a service answers where it can, and goes on."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pika
import pytest

from dragonfly.core.service import Service
from dragonfly.testing import Mesh
from tests.mesh.raw import RawClient

CONFIG = """
name: my_store
max_message_size: 2000000
endpoints:
  - name: my_price_list
    module: kv_store
    endpoints:
      - name: peaches
        module: kv_store_key
        initial_value: 0.75
        calibration: '2*{}'
"""


def request(msgop: Any = 1, **changes: Any) -> bytes:
    """Return the body of a get of nothing, with changes; a change to None leaves the field out."""
    fields = {"msgtype": 3, "msgop": msgop, "timestamp": "2026-11-24T06:04:45Z", "sender_info": {}, "payload": {}}
    fields.update(changes)
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


# What it is, body, return code.
BODIES = [
    ("bad JSON", b'{"msgtype": 3,', 302),
    ("an empty body", b"", 302),
    ("invalid UTF-8", b'{"msgtype": "\xff\xfe"}', 302),
    ("an empty object", b"{}", 302),
    ("a list", b"[1, 2]", 302),
    ("a number", b"3", 302),
    ("null", b"null", 302),
    ("an unknown message type", request(msgtype=17), 302),
    ("a message type that is a text", request(msgtype="3"), 302),
    ("a message type that is a list", request(msgtype=[3]), 302),
    ("a missing operation", request(None), 302),
    ("an unknown operation", request(42), 306),
    ("an operation that is a list", request([1]), 302),
    ("an operation that is true", request(True), 302),
    ("an alert", request(None, msgtype=4), 306),
    ("an info", request(None, msgtype=5), 306),
    ("deep nesting of lists", b"[" * 100_000 + b"]" * 100_000, 302),
    ("deep nesting of objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 302),
    ("a payload nested too deep", request(0, payload={"values": [json.loads("[" * 200 + "]" * 200)]}), 302),
    ("a number of 5,000 digits", b'{"msgtype": 3, "msgop": ' + b"9" * 5000 + b"}", 302),
    ("a payload that is a list", request(payload=[1]), 303),
    ("a payload that is a text", request(payload="peaches"), 303),
    ("values that are an object", request(payload={"values": {"a": 1}}), 303),
    ("a set without a value", request(0), 303),
    ("a set of three values", request(0, payload={"values": [1, 2, 3]}), 303),
    ("a command without its name", request(9), 303),
    ("a lockout key that is none", request(lockout_key=5), 308),
    ("a body of 2 MB and more", request(0, payload={"values": ["x" * 2_000_000]}), 302),
    ("sender_info that is a list", request(sender_info=[1]), 0),
    ("a timestamp that is a number", request(timestamp=5), 0),
    ("no timestamp and no sender", b'{"msgtype": 3, "msgop": 1}', 0),
    ("unknown fields", request(something={"else": 1}, target="peaches"), 0),
]

PROPERTIES = [
    ("no encoding", {"content_encoding": None}, 301),
    ("msgpack", {"content_encoding": "application/msgpack"}, 302),
    ("an encoding that is no text", {"content_encoding": b"\xff\xfe"}, 302),
    ("a deadline that is a text", {"headers": {"deadline": "soon"}}, 0),
    ("a deadline that is a table", {"headers": {"deadline": {"a": [1, None]}}}, 0),
    ("a deadline of 1970", {"headers": {"deadline": 1}}, 305),
    ("a deadline before all times", {"headers": {"deadline": -(2**62)}}, 305),
    ("a deadline beyond all times", {"headers": {"deadline": 2**62}}, 0),
    ("a header that is no text", {"headers": {"\udcff".encode("utf-8", "surrogateescape"): b"\xff"}}, 0),
    ("a correlation id that is no text", {"correlation_id": b"\xff\xfe"}, 0),
    ("a correlation id of 255 bytes", {"correlation_id": "c" * 255}, 0),
]

ROUTING_KEYS = [
    ("peaches.__class__", 306),
    ("peaches.__init__", 306),
    ("peaches._value", 306),
    ("peaches.on_get", 306),
    ("peaches.handle", 306),
    ("peaches.provider", 306),
    ("peaches.service", 306),
    ("peaches.nosuch", 304),
    ("peaches.a.b.c", 304),
    ("peaches." + "x" * 240, 304),
    ("peaches..", 304),
    ("peaches.\x00\n\x1b[31m", 304),
    ("peaches.ping", 304),
    ("my_price_list.endpoints", 306),
    ("my_store.run", 306),
    ("my_store.stop", 306),
    ("broadcast.nosuch", 304),
    ("broadcast", 306),
    ("peaches.", 0),
]


NO_TIME = b"\x01t" + b"T" + struct.pack(">Q", 2**63)
DEEP = b""
for _ in range(2_000):
    DEEP = b"\x01a" + b"F" + struct.pack(">I", len(DEEP)) + DEEP


class UnreadableProperties(pika.BasicProperties):
    """Properties whose header table pika cannot decode; RabbitMQ passes it on."""

    def __init__(self, table: bytes) -> None:
        super().__init__()
        self._table = table

    def encode(self) -> list[bytes]:
        table = self._table
        reply_to = b"\x05nobod"
        return [struct.pack(">H", (1 << 13) | (1 << 9)), struct.pack(">I", len(table)), table, reply_to]


@pytest.fixture
def service(mesh: Mesh) -> Service:
    return mesh.serve(CONFIG)


@pytest.fixture
def client(mesh: Mesh) -> Iterator[RawClient]:
    with RawClient(mesh.address) as raw:
        yield raw


def answer(client: RawClient, routing_key: str, body: bytes, properties: pika.BasicProperties) -> dict[str, Any]:
    client.publish(routing_key, body, properties)
    seen = client.next()
    assert seen is not None, "no answer"
    assert str(seen.properties.correlation_id) == str(properties.correlation_id)
    reply: dict[str, Any] = json.loads(seen.body)
    return reply


def check_alive(mesh: Mesh) -> None:
    assert mesh.client.get("peaches").payload == {"value_cal": 1.5, "value_raw": "0.75"}


@pytest.mark.usefixtures("service")
def test_every_body_is_answered_and_the_service_goes_on(mesh: Mesh, client: RawClient) -> None:
    for what, body, retcode in BODIES:
        reply = answer(client, "peaches", body, client.properties())
        assert reply["retcode"] == retcode, (what, reply)
        assert bool(reply["return_msg"]) == (retcode != 0), what
    check_alive(mesh)


@pytest.mark.usefixtures("service")
def test_every_property_is_answered_and_the_service_goes_on(mesh: Mesh, client: RawClient) -> None:
    for what, changes, retcode in PROPERTIES:
        reply = answer(client, "peaches", request(), client.properties(**changes))
        assert reply["retcode"] == retcode, (what, reply)
    check_alive(mesh)


@pytest.mark.usefixtures("service")
def test_every_routing_key_is_answered_and_the_service_goes_on(mesh: Mesh, client: RawClient) -> None:
    for routing_key, retcode in ROUTING_KEYS:
        reply = answer(client, routing_key, request(), client.properties())
        assert reply["retcode"] == retcode, (routing_key, reply)
    check_alive(mesh)


@pytest.mark.usefixtures("service")
def test_a_routing_key_that_is_no_utf8_is_answered(mesh: Mesh, client: RawClient) -> None:
    reply = answer(client, b"peaches.\xff\xfe", request(), client.properties())  # type: ignore[arg-type]
    assert reply["retcode"] == 304
    check_alive(mesh)


def test_what_cannot_be_answered_is_dropped_and_the_service_goes_on(
    mesh: Mesh, client: RawClient, service: Service
) -> None:
    reply = json.dumps({"msgtype": 2, "retcode": 0, "payload": {}}).encode()
    client.publish("peaches", request(), client.properties(reply_to=None))
    client.publish("peaches", b"\xff", client.properties(reply_to=None))
    client.publish("peaches", reply)  # a reply is never answered: two programs would go on for ever
    client.publish("peaches", request(), client.properties(reply_to="nobody.listens.here"))
    client.publish("peaches", request(), client.properties(reply_to=b"\xff\xfe"))
    client.publish("peaches", request(), pika.BasicProperties())
    check_alive(mesh)
    assert client.next(timeout=0.2) is None


def test_a_reply_to_that_is_the_endpoint_itself_makes_no_loop(
    mesh: Mesh, client: RawClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    client.publish("peaches", request(), client.properties(reply_to="peaches"))
    check_alive(mesh)
    check_alive(mesh)
    ignored = [record for record in caplog.records if "a reply came to peaches" in record.getMessage()]
    assert len(ignored) == 1


@pytest.mark.parametrize("table", [NO_TIME, DEEP], ids=["no time", "deep"])
def test_properties_that_cannot_be_decoded_cost_no_connection(
    mesh: Mesh, client: RawClient, service: Service, caplog: pytest.LogCaptureFixture, table: bytes
) -> None:
    client.publish("peaches", request(), UnreadableProperties(table))
    client.publish("peaches", request(), client.properties(headers={"t": datetime(9999, 1, 1, tzinfo=timezone.utc)}))
    assert client.next() is not None
    check_alive(mesh)
    messages = [record.getMessage() for record in caplog.records]
    assert any("properties cannot be read" in message for message in messages)
    assert not any("connection" in message and "lost" in message for message in messages)


EVIL = [
    "__import__('os').system('x')",
    "open('/etc/passwd').read()",
    "9**9**9**9",
    "'%1000000000d' % 1",
    "'a'*10**10",
    "(lambda: 1)()",
    "x" * 2**20,
]


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("text", EVIL, ids=lambda text: text[:20])
def test_a_stored_text_is_never_evaluated(mesh: Mesh, text: str) -> None:
    client = mesh.interface(confirm_retcodes=False, timeout=2.0)
    assert client.set("peaches", text).retcode == 0
    reply = client.get("peaches")
    assert (reply.retcode, reply.payload) == (304, {"value_raw": text})

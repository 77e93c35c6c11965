"""A flood of malformed messages: each is answered or dropped, and counted, and the service is as it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from pika import frame, spec

from dragonfly.core.exceptions import DriplineDecodingError
from dragonfly.core.interface import Interface
from dragonfly.testing import Mesh
from tests.bench.wire import Wire
from tests.conftest import Counts
from tests.fuzzing.flood import Flood, frames_of
from tests.fuzzing.thrown import MIB, RawTable, Thrown
from tests.fuzzing.victim import Victim

pytestmark = pytest.mark.rabbitmq

# What the allocator may keep more of, MiB; a byte kept of each of a million messages would be one.
GROWTH = 16.0
LATE = 0.005  # s; other programs are on the machine, too


def test_each_malformed_message_is_answered_or_dropped_and_counted(
    broker: Any, counts: Counts, measured: Callable[[str, str, str], None]
) -> None:
    with Victim(broker.address) as victim, Flood(broker.address) as flood:
        thrower = flood.thrower("the same each time")
        # The first ones make room in memory that those after them use again.
        for message in thrower.large():
            flood.throw([message])
        flood.throw_many(thrower, 2_000)
        flood.begin()
        usual, memory, threads = flood.median_time(), victim.memory(), victim.threads()
        began = time.monotonic()
        for message in thrower.large():
            flood.throw([message])
        flood.throw_many(thrower, counts.messages)
        counted = flood.settle()
        took = time.monotonic() - began
        sent, kinds = flood.sent, len(flood.kinds)
        afterwards, grown = flood.median_time(), victim.memory() - memory
        assert victim.is_alive and victim.complaints() == []
        assert counted["reconnects"] == 0
        assert afterwards < 2 * usual + LATE
        assert grown < GROWTH
        assert victim.threads() <= threads + 2
    what = f"{sent:,} malformed messages of {kinds} kinds, each answered, or dropped, and counted"
    value = (
        f"{sent / took:,.0f} a second; a get takes {usual * 1e6:.0f} µs before and {afterwards * 1e6:.0f} µs after;"
        f" memory {grown:+.1f} MiB"
    )
    measured("Bad input", what, value)


# What RabbitMQ itself refuses: it costs whoever sends it a channel, or the connection, and nobody else anything.
REFUSED: dict[str, dict[str, Any]] = {
    "an expiration that is none": {"expiration": "soon"},
    "a negative expiration": {"expiration": "-1"},
    "an expiration beyond all times": {"expiration": "9" * 255},
    "another user": {"user_id": "somebody"},
    "a delivery mode that there is not": {"delivery_mode": 7},
}
REFUSED_TABLES = {
    "an infinite number": b"\x01dd\x7f\xf0" + bytes(6),
    "a table that is cut short": b"\x01aF\x00\x00\xff\xff",
    "a type of field that there is not": b"\x01a?",
    "a text that is cut short": b"\x05ab",
}


def refusal(address: str, properties: spec.BasicProperties) -> str:
    """Publish a message that the broker refuses, and leave; return the method by which it says so."""
    with Wire(address) as client:
        client.send(frames_of(Thrown("refused", "peaches", properties, b"\xff")))
        client.send(frame.Method(0, spec.Connection.Close(200, "", 0, 0)).marshal())
        while True:
            method = client._frame().method
            if isinstance(method, (spec.Channel.Close, spec.Connection.Close, spec.Connection.CloseOk)):
                return str(method.NAME)


def test_what_the_broker_refuses_reaches_no_service(mesh: Mesh) -> None:
    service = mesh.serve("name: my_store\nendpoints: [{name: peaches, module: kv_store_key, initial_value: 1}]\n")
    before = service.statistics
    refused = {
        name: spec.BasicProperties(content_encoding="application/json", **each) for name, each in REFUSED.items()
    }
    refused.update({name: RawTable(table) for name, table in REFUSED_TABLES.items()})
    for name, properties in refused.items():
        assert refusal(mesh.address, properties) in ("Channel.Close", "Connection.Close"), name
        assert mesh.client.get("peaches").retcode == 0, name
    after = service.statistics
    assert after["messages_undecodable"] == before["messages_undecodable"]
    assert after["requests_failed"] == before["requests_failed"]
    assert after["requests_ok"] == before["requests_ok"] + len(refused)


LIMITED = """
name: my_store
max_message_size: 67108864
endpoints:
  - {name: peaches, module: kv_store_key, initial_value: 1}
  - {name: chips, module: kv_store_key}
"""


def test_a_client_that_gets_more_than_it_reads_says_so_and_goes_on(mesh: Mesh) -> None:
    mesh.serve(LIMITED)
    client = mesh.interface(timeout=60.0)
    client.set("chips", "x" * (20 * MIB))
    with pytest.raises(DriplineDecodingError, match=r"the message has \d+ bytes, and at most 16777216 are read"):
        client.get("chips")
    assert client.get("peaches").payload["value_raw"] == "1"
    with Interface(mesh.address, timeout=60.0, max_message_size=64 * MIB) as patient:
        assert len(patient.get("chips").payload["value_raw"]) == 20 * MIB
    with (
        Interface(mesh.address, max_json_depth=2) as strict,
        pytest.raises(DriplineDecodingError, match="deeper than 2"),
    ):
        strict.cmd("my_store", "describe")

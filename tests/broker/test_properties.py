from __future__ import annotations

import struct
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from pika import BasicProperties, frame

from dragonfly.broker.errors import ProtocolError
from dragonfly.broker.properties import scan

ALL: dict[str, Any] = {
    "content_type": "text/plain",
    "content_encoding": "application/json",
    "headers": {"deadline": 1},
    "delivery_mode": 2,
    "priority": 5,
    "correlation_id": "c",
    "reply_to": "r",
    "expiration": "10000",
    "message_id": "m",
    "timestamp": 1,
    "type": "t",
    "user_id": "guest",
    "app_id": "a",
    "cluster_id": "x",
}


def header(**fields: Any) -> bytes:
    """Return the payload of a header frame, as pika makes it."""
    return frame.Header(1, 3, BasicProperties(**fields)).marshal()[7:-1]


def raw(flags: int, properties: bytes) -> bytes:
    return struct.pack(">HHQH", 60, 0, 3, flags) + properties


def test_nothing_is_found_where_nothing_is() -> None:
    assert scan(header()) == (None, None)


def test_expiration_and_user_are_found_among_all_properties() -> None:
    assert scan(header(**ALL)) == (b"10000", b"guest")


@pytest.mark.parametrize("without", ALL)
def test_they_are_found_whatever_else_is_missing(without: str) -> None:
    fields = {name: value for name, value in ALL.items() if name != without}
    expected = tuple(value and value.encode() for value in (fields.get("expiration"), fields.get("user_id")))
    assert scan(header(**fields)) == expected


@pytest.mark.parametrize("only", ALL)
def test_each_property_alone_is_read_to_its_end(only: str) -> None:
    assert scan(header(**{only: ALL[only]})) == (
        b"10000" if only == "expiration" else None,
        b"guest" if only == "user_id" else None,
    )


@pytest.mark.parametrize(
    "value",
    [
        *(True, 1, 2**40, -1, "text", b"\x00\xff", None, Decimal("1.5"), datetime(2026, 1, 1, tzinfo=timezone.utc)),
        *({}, {"a": {"b": {"c": 1}}}, [], [1, "a", [None, {"x": []}]]),
    ],
)
def test_tables_of_all_kinds_are_followed(value: Any) -> None:
    assert scan(header(headers={"key": value, "other": 1}, expiration="7")).expiration == b"7"


@pytest.mark.parametrize("field", [b"b\x01", b"B\x01", b"U\0\1", b"u\0\1", b"i\0\0\0\1", b"L" + bytes(8), b"f\0\0\0\0"])
def test_kinds_of_fields_that_pika_does_not_send_are_followed(field: bytes) -> None:
    table = b"\x01k" + field
    assert scan(raw(0x2000, struct.pack(">I", len(table)) + table)) == (None, None)


def test_values_that_no_datetime_can_hold_pass() -> None:
    table = b"\x01kT" + b"\xff" * 8 + b"\x01dd" + struct.pack(">d", float("inf"))
    assert scan(raw(0x2000, struct.pack(">I", len(table)) + table)) == (None, None)


def nested(depth: int, kind: bytes) -> bytes:
    """Return a table of tables, or of arrays, with nothing in the innermost."""
    inner = b""
    for level in range(depth):
        name = b"\x00" if kind == b"F" or level == depth - 1 else b""
        inner = name + kind + struct.pack(">I", len(inner)) + inner
    return struct.pack(">I", len(inner)) + inner


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 50, 20_000])
@pytest.mark.parametrize("kind", [b"F", b"A"])
def test_tables_may_be_nested_to_any_depth(kind: bytes, depth: int) -> None:
    assert scan(raw(0x2000, nested(depth, kind))) == (None, None)


@pytest.mark.parametrize("depth", [1, 2, 50])
@pytest.mark.parametrize("kind", [b"F", b"A"])
def test_a_nested_table_ends_within_the_one_around_it(kind: bytes, depth: int) -> None:
    table = bytearray(nested(depth, kind))
    table[-1] += 1
    with pytest.raises(ProtocolError, match="cannot be read"):
        scan(raw(0x2000, bytes(table) + b"\x00"))


BROKEN = {
    "a flag without its property": raw(0x0100, b""),
    "a string that is longer than the frame": raw(0x0100, b"\x05ab"),
    "bytes after the last property": raw(0x0100, b"\x02abz"),
    "bytes after no property": raw(0, b"z"),
    "an unknown flag": raw(0x0002, b""),
    "more flags": raw(0x0001, b"\0\0"),
    "a table that is longer than the frame": raw(0x2000, b"\0\0\0\x09\x01kI\0\0"),
    "a field that goes beyond its table": raw(0x2000, b"\0\0\0\x03\x01kI\0\0\0\1"),
    "a table with half a field": raw(0x2000, b"\0\0\0\x01\x01"),
    "an unknown kind of field": raw(0x2000, b"\0\0\0\x03\x01kZ"),
    "an array that goes beyond its table": raw(0x2000, b"\0\0\0\x07\x01kA\0\0\0\x05"),
    "an array with an unknown kind": raw(0x2000, b"\0\0\0\x08\x01kA\0\0\0\x01Z"),
    "an array whose last value is too long": raw(0x2000, b"\0\0\0\x09\x01kA\0\0\0\x02I\0"),
    "a string in a table without a length": raw(0x2000, b"\0\0\0\x03\x01kS"),
    "no flags at all": struct.pack(">HHQ", 60, 0, 3),
}


@pytest.mark.parametrize("payload", BROKEN.values(), ids=BROKEN)
def test_a_list_that_would_break_a_client_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="cannot be read"):
        scan(payload)

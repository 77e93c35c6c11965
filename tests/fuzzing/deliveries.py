"""What a broker may deliver: properties of every type, and header frames of any bytes."""

from __future__ import annotations

import struct
from types import SimpleNamespace

from hypothesis import strategies as st

from tests.fuzzing.bodies import BODIES
from tests.fuzzing.values import TEXTS

_HEADER_FRAME, _FRAME_END = 2, 0xCE
_BASIC = 60

_SHORT = st.one_of(st.none(), TEXTS, st.binary(max_size=12))
_NAMES = st.one_of(st.sampled_from(["deadline", "probe", "x-death"]), TEXTS, st.binary(max_size=5))
_FIELD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        TEXTS,
        st.binary(max_size=8),
        st.datetimes(),
        st.decimals(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=6,
)
HEADERS = st.one_of(st.none(), st.dictionaries(_NAMES, _FIELD, max_size=3))
ROUTING_KEYS = st.one_of(
    st.sampled_from(
        ["peaches", "peaches.ping", "peaches.describe", "shop", "broadcast.x", "broadcast", "peaches.", ".", ""]
    ),
    TEXTS,
    st.binary(max_size=255),
)
PROPERTIES = st.builds(
    SimpleNamespace,
    content_encoding=st.one_of(st.just("application/json"), _SHORT),
    correlation_id=_SHORT,
    reply_to=_SHORT,
    app_id=_SHORT,
    expiration=st.one_of(_SHORT, st.integers(0, 10**20).map(str)),
    message_id=_SHORT,
    headers=HEADERS,
)
METHODS = st.builds(
    SimpleNamespace,
    exchange=_SHORT,
    routing_key=ROUTING_KEYS,
    redelivered=st.sampled_from([False, False, True]),
    delivery_tag=st.integers(1),
)
DELIVERIES = st.tuples(METHODS, PROPERTIES, BODIES)


def _table(fields: list[bytes], wrong_length: int) -> bytes:
    content = b"".join(bytes([len(field) % 256]) + field for field in fields)
    return struct.pack(">I", max(0, len(content) + wrong_length)) + content


def _nested_table(depth: int) -> bytes:
    table = b""
    for _ in range(depth):
        table = b"\x01aF" + struct.pack(">I", len(table)) + table
    return struct.pack(">I", len(table)) + table


def _frame(body_size: int, flags: int, properties: bytes) -> bytes:
    payload = struct.pack(">HHQH", _BASIC, 0, body_size, flags) + properties
    return struct.pack(">BHI", _HEADER_FRAME, 1, len(payload)) + payload + bytes([_FRAME_END])


_FIELDS = st.builds(
    lambda name, kind, value: bytes([len(name)]) + name + kind + value,
    st.binary(max_size=5),
    st.sampled_from([bytes([letter]) for letter in b"tbBUuIiLlfdDsSxAFTV?"]),
    st.binary(max_size=12),
)
_TABLES = st.one_of(
    st.builds(_table, st.lists(_FIELDS, max_size=3), st.sampled_from([0, 0, -1, 1, 1000])),
    st.integers(0, 3_000).map(_nested_table),
    st.lists(_FIELDS, max_size=3).map(lambda fields: struct.pack(">I", sum(map(len, fields))) + b"".join(fields)),
)
HEADER_FRAMES = st.builds(
    _frame,
    st.integers(0, 2**64 - 1),
    st.one_of(st.just(1 << 13), st.integers(0, 65_535)),
    st.one_of(_TABLES, st.tuples(_TABLES, st.binary(max_size=30)).map(b"".join), st.binary(max_size=60)),
)

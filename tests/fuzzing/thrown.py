"""Malformed messages, made at random and fast, each with what must become of it.

Left out is what a broker refuses, and so never delivers: another user's user_id, an expiration that is no number, a
table that is cut short or holds an infinite number.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from pika import spec

from tests.fuzzing.values import nested_body

SERVICE = "my_store"
GOOD, TARGET = "peaches", "chips"
MIB = 1024 * 1024
LIMIT = 16 * MIB
_JSON = "application/json"
_HEAD = b'{"msgtype": 3, '  # what stands here is left as it is: else one would have to look whether it became a reply
_GET = (
    _HEAD
    + b'"msgop": 1, "timestamp": "2026-11-24T06:04:45Z", "sender_info": {"username": "me"}, "payload": {"values": []}}'
)


class Thrown(NamedTuple):
    """A message, and what must become of it.

    Args:
        answered: whether its reply comes to whoever threw it.
        looped: whether the reply goes to the service itself, which counts it as a message that it ignores.
    """

    kind: str
    routing_key: str | bytes
    properties: spec.BasicProperties
    body: bytes
    answered: bool = True
    looped: bool = False


class RawTable(spec.BasicProperties):  # type: ignore[misc]
    """Properties whose header table is given as bytes; pika would write no such."""

    def __init__(self, table: bytes) -> None:
        super().__init__()
        self._table = table

    def encode(self) -> list[bytes]:
        """Return the flags and the table."""
        return [struct.pack(">H", 1 << 13), struct.pack(">I", len(self._table)), self._table]


def _deep_table(depth: int) -> bytes:
    table = b""
    for _ in range(depth):
        table = b"\x01aF" + struct.pack(">I", len(table)) + table
    return table


# A time beyond the year 9999, and tables in one another.
_TABLES = [b"\x01tT" + struct.pack(">Q", 2**63), _deep_table(2_000)]
_DEADLINES = ["soon", b"\xff", 1, -(2**62), 2**62, True, None, [1, [2]], {"a": {"b": None}}, 2**31]
_ODD = [None, True, 17, -1, 1.5, "3", [3], {"a": 1}, 10**30, "\ud800", "x" * 2_000]
_SHOTS = [b"\xff\xfe", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"]
_KEYS = [
    "__class__",
    "__init__",
    "_value",
    "on_get",
    "handle",
    "service",
    "nosuch",
    "a.b.c",
    "",
    ".",
    "\x00\n\x1b[31m",
    "ping",
]


class Thrower:
    """Makes malformed messages.

    Args:
        seed: the same gives the same messages.
        reply_queue: where answers are to go.
    """

    def __init__(self, seed: str, reply_queue: str) -> None:
        self._random = random.Random(seed)
        self._reply_queue = reply_queue
        self._number = 0

    def next(self) -> Thrown:
        """Return the next message."""
        make = self._random.choices(_MAKERS, _WEIGHTS)[0]
        return make(self)

    def large(self) -> list[Thrown]:
        """Return the few that are as large as may be, and larger."""
        at_limit = b"[" * 64 + b"1" * (LIMIT - 64)
        text = _HEAD + b'"msgop": 0, "payload": {"values": ["' + b"x" * (LIMIT - 200) + b'"]}}'
        bodies = {"at the limit": at_limit, "bytes at the limit": self._random.randbytes(LIMIT), "a text": text}
        bodies["beyond the limit"] = b"x" * (LIMIT + 1)
        bodies["far beyond it"] = b"[" * (LIMIT + MIB)
        return [self._thrown(f"16 MiB: {name}", body) for name, body in bodies.items()]

    def _thrown(self, kind: str, body: bytes, routing_key: str | bytes = TARGET, **changes: Any) -> Thrown:
        self._number += 1
        fields = {
            "content_encoding": _JSON,
            "correlation_id": str(self._number),
            "reply_to": self._reply_queue,
            "app_id": "dripline.core.Service",
            **changes,
        }
        answered = fields["reply_to"] == self._reply_queue
        return Thrown(kind, routing_key, spec.BasicProperties(**fields), body, answered)

    def _bytes(self) -> Thrown:
        return self._thrown("bytes", self._random.randbytes(self._random.randrange(200)))

    def _changed(self) -> Thrown:
        place = self._random.randrange(len(_HEAD), len(_GET))
        cut = self._random.choice([0, 1, 5, 50, 500])
        body = _GET[:place] + self._random.randbytes(self._random.randrange(4)) + _GET[place + cut :]
        return self._thrown("changed bodies", body)

    def _no_utf8(self) -> Thrown:
        place = self._random.randrange(len(_GET))
        return self._thrown("invalid UTF-8", _GET[:place] + self._random.choice(_SHOTS) + _GET[place:])

    def _deep(self) -> Thrown:
        depth = int(10 ** self._random.uniform(1.9, 5))
        deep = nested_body(depth, self._random.choice("[{"))
        return self._thrown("deep JSON", _HEAD + b'"msgop": 0, "payload": {"values": [' + deep + b"]}}")

    def _digits(self) -> Thrown:
        digits = self._random.choice([400, 4_299, 4_300, 4_301, 5_000, 20_000])
        number = self._random.choice([b"", b"-", b"0.", b"1e"]) + b"9" * digits
        return self._thrown("long numbers", _HEAD + b'"msgop": 0, "payload": {"values": [' + number + b"]}}")

    def _no_number(self) -> Thrown:
        number = self._random.choice(
            [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"nan", b"--1", b"0x1F", b"01"]
        )
        return self._thrown("NaN", _HEAD + b'"msgop": 0, "payload": {"values": [' + number + b"]}}")

    def _fields(self) -> Thrown:
        odd = self._random.choice
        fields = {"msgtype": 3, "msgop": 1, "payload": {"values": []}, "sender_info": {}, "timestamp": "now"}
        for name in self._random.sample([*fields, "lockout_key", "payload"], 2):
            fields[name] = odd(_ODD)
        if self._random.random() < 0.3:
            fields["payload"] = {"values": odd(_ODD), str(odd(_ODD)): odd(_ODD)}
        return self._thrown("wrong fields", json.dumps(fields).encode())

    def _properties(self) -> Thrown:
        name = self._random.choice(_SHORT_PROPERTIES)
        long = self._random.randbytes(255)
        value = self._random.choice([None, "", "x" * 255, "application/msgpack", long, b"\xff\xfe", "\x00"])
        changes: dict[str, Any] = {name: value}
        if self._random.random() < 0.3:
            changes["priority"] = self._random.randrange(256)
            changes["timestamp"] = self._random.choice([0, 2**63, 2**40])
        return self._thrown("properties", _GET, **changes)

    def _headers(self) -> Thrown:
        headers: dict[Any, Any] = {"deadline": self._random.choice(_DEADLINES)}
        if self._random.random() < 0.3:
            headers["x" * self._random.randrange(1, 128)] = "y" * self._random.randrange(50_000)
        return self._thrown("headers", _GET, headers=headers)

    def _tables(self) -> Thrown:
        table = self._random.choice(_TABLES)
        return Thrown("header tables that cannot be read", TARGET, RawTable(table), _GET, answered=False)

    def _routing_keys(self) -> Thrown:
        target = self._random.choice([TARGET, SERVICE, "my_price_list", "broadcast"]) + "."
        rest = self._random.choice([*_KEYS, "x" * (255 - len(target))])
        key: str | bytes = target + rest
        if self._random.random() < 0.3:
            key = target.encode() + self._random.randbytes(self._random.randrange(255 - len(target)))
        return self._thrown("routing keys", _GET, key)

    def _no_requests(self) -> Thrown:
        kind = self._random.choice([2, 4, 5])
        thrown = self._thrown(
            "replies, alerts and infos", json.dumps({"msgtype": kind, "payload": {"values": [1]}}).encode()
        )
        return thrown if kind != 2 else thrown._replace(answered=False)

    def _reply_to(self) -> Thrown:
        reply_to = self._random.choice(
            [None, "", b"\xff\xfe", "x" * 255, "#", "*.*", self._random.randbytes(100), TARGET]
        )
        thrown = self._thrown("reply_to of nonsense", self._random.choice([_GET, b"\xff"]), reply_to=reply_to)
        return thrown._replace(looped=reply_to == TARGET)

    def _correlation_id(self) -> Thrown:
        value = self._random.choice([None, "", b"\xff\xfe", "c" * 255, self._random.randbytes(255), "\x00"])
        return self._thrown("correlation ids of nonsense", _GET, correlation_id=value)


# Of expiration and user_id a broker takes only what is right.
_SHORT_PROPERTIES = ["content_type", "content_encoding", "message_id", "type", "app_id", "cluster_id"]
_WEIGHTED: list[tuple[Callable[[Thrower], Thrown], float]] = [
    (Thrower._bytes, 10),
    (Thrower._changed, 20),
    (Thrower._no_utf8, 8),
    (Thrower._deep, 2),
    (Thrower._digits, 5),
    (Thrower._no_number, 5),
    (Thrower._fields, 15),
    (Thrower._properties, 10),
    (Thrower._headers, 5),
    (Thrower._tables, 1),
    (Thrower._routing_keys, 10),
    (Thrower._no_requests, 3),
    (Thrower._reply_to, 4),
    (Thrower._correlation_id, 2),
]
_MAKERS = [maker for maker, _ in _WEIGHTED]
_WEIGHTS = [weight for _, weight in _WEIGHTED]

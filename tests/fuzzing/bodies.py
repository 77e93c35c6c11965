"""Bodies of messages: valid ones, nearly valid ones, and bytes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzzing.values import JSON, NUMBERS, TEXTS, nested_body

_WORDS = [
    *'[]{},:"',
    "null",
    "true",
    "NaN",
    "-Infinity",
    "1e999",
    "-",
    "0",
    "00",
    "\\u",
    "\\ud800",
    "\\",
    '"msgtype":3',
]
_FIELDS = {
    "msgtype": st.one_of(st.sampled_from([2, 3, 4, 5]), JSON),
    "msgop": st.one_of(st.sampled_from([0, 1, 6, 7, 8, 9]), JSON),
    "timestamp": st.one_of(TEXTS, NUMBERS),
    "sender_info": st.one_of(st.dictionaries(st.sampled_from(["username", "hostname", "service_name"]), JSON), JSON),
    "payload": st.one_of(st.fixed_dictionaries({"values": st.lists(JSON, max_size=3)}), JSON),
    "lockout_key": st.one_of(st.from_regex("[0-9a-f]{32}", fullmatch=True), JSON),
    "retcode": st.one_of(st.integers(), JSON),
    "return_msg": JSON,
}


_TOO_LONG = b'{"msgtype":3,"msgop":0,"payload":{"values":[' + b"9" * 5_000 + b"]}}"


def _dumped(fields: Any) -> bytes:
    try:
        return json.dumps(fields).encode()  # with NaN as it is, which is no JSON, and is sent all the same
    except ValueError:  # Python writes no number of so many digits; others do
        return _TOO_LONG


def _changed(body: bytes, place: int, cut: int, put: bytes) -> bytes:
    place %= len(body) + 1
    return body[:place] + put + body[place + cut :]


MESSAGES = st.fixed_dictionaries({"msgtype": _FIELDS.pop("msgtype")}, optional=_FIELDS).map(_dumped)
CHANGED = st.builds(_changed, MESSAGES, st.integers(0, 500), st.integers(0, 30), st.binary(max_size=6))
NEARLY_JSON = st.lists(st.sampled_from(_WORDS), max_size=60).map(lambda words: "".join(words).encode())
LONG_NUMBERS = st.integers(1, 6_000).map(lambda digits: b'{"msgtype":4,"payload":' + b"7" * digits + b"}")
DEEP = st.builds(nested_body, st.integers(0, 100_000), st.sampled_from("[{"))
BODIES = st.one_of(st.binary(max_size=200), MESSAGES, CHANGED, NEARLY_JSON, LONG_NUMBERS, DEEP)
ENCODINGS = st.one_of(
    st.just("application/json"),
    st.sampled_from([None, "", "json", "application/msgpack", "application/JSON"]),
    TEXTS,
    st.binary(max_size=8),
    st.integers(),
)

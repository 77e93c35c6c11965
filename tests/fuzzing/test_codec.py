"""Whatever a body is: a message, or one of the codec's own errors; and what is sent comes out as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dragonfly.core.codec import decode, encode
from dragonfly.core.constants import OPERATION_NAMES
from dragonfly.core.exceptions import (
    DriplineDecodingError,
    DriplineMethodNotSupportedError,
    DriplineNoMessageEncodingError,
    DriplinePayloadError,
)
from dragonfly.core.message import AlertMessage, InfoMessage, Message, ReplyMessage, RequestMessage
from tests.fuzzing.bodies import BODIES, ENCODINGS
from tests.fuzzing.part import part
from tests.fuzzing.values import ANYTHING, JSON, SCALARS, TEXTS, as_carried, nested, nested_body

JSON_TYPE = "application/json"
DEPTH = 64
DIGITS = 4_300


def sized(body: bytes, encoding: Any, max_depth: int, max_size: int) -> Message | None:
    try:
        return decode(body, encoding, max_depth, max_size)
    except DriplineDecodingError as err:
        assert 0 < len(str(err)) < 400
    except (DriplineNoMessageEncodingError, DriplineMethodNotSupportedError) as err:
        assert len(body) <= max_size
        assert 0 < len(str(err)) < 400
    return None


def depth_of(value: Any) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@part(st.tuples(BODIES, ENCODINGS, st.integers(2, 100), st.integers(1, 300_000)), count=500)
def test_any_body_is_a_message_or_a_decoding_error(example: tuple[bytes, Any, int, int]) -> None:
    message = sized(*example)
    if message is not None:
        fields = message.to_dict()
        assert depth_of(fields) <= max(example[2], 2)  # a payload or sender that was none has become an object
        assert decode(encode(message), JSON_TYPE, 200).to_dict() == fields


MESSAGES = st.one_of(
    st.builds(AlertMessage, JSON),
    st.builds(InfoMessage, JSON, timestamp=TEXTS),
    st.builds(ReplyMessage, JSON, retcode=st.integers(-(10**20), 10**20), return_msg=TEXTS),
    st.builds(
        RequestMessage,
        st.sampled_from(sorted(OPERATION_NAMES)),
        st.dictionaries(TEXTS, JSON, max_size=3),
        lockout_key=SCALARS,
        sender_info=st.dictionaries(TEXTS, JSON, max_size=2),
    ),
)


def has_too_long_a_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_too_long_a_number, value.values()))
    if isinstance(value, list):
        return any(map(has_too_long_a_number, value))
    return isinstance(value, int) and abs(value) >= 10**DIGITS


@part(MESSAGES, count=500)
def test_what_json_can_carry_comes_out_as_it_was(message: Message) -> None:
    fields = message.to_dict()
    try:
        body = encode(message)
    except DriplinePayloadError:
        assert has_too_long_a_number(fields)
        return
    assert decode(body, JSON_TYPE).to_dict() == as_carried(fields)


@part(ANYTHING)
def test_what_json_cannot_carry_is_a_payload_error(value: Any) -> None:
    try:
        body = encode(AlertMessage(value))
    except DriplinePayloadError as err:
        assert "cannot be carried" in str(err)
        return
    assert isinstance(decode(body, JSON_TYPE), AlertMessage)


@part(st.tuples(st.integers(0, 100_000), st.sampled_from("[{")), count=100)
def test_any_depth_is_carried_or_refused(example: tuple[int, str]) -> None:
    depth, shape = example
    body = b'{"msgtype":4,"payload":' + nested_body(depth, shape) + b"}"
    refused = None
    try:
        message = decode(body, JSON_TYPE)
    except DriplineDecodingError as err:
        refused = err
        assert str(err) == f"the message is nested deeper than {DEPTH}"
    assert (refused is None) == (depth < DEPTH)
    try:
        sent = encode(AlertMessage(nested(depth, shape)))
    except DriplinePayloadError:
        assert refused is not None
        return
    if refused is None:
        assert decode(sent, JSON_TYPE).payload == message.payload

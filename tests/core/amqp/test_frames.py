"""Messages in frames: what is packed is what pika packs, and what pika packs is read as pika reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec

from dragonfly.core.amqp.frames import (
    CONFIRMS,
    DELIVER,
    Confirm,
    Incomplete,
    confirm_at,
    delivery_at,
    method_at,
    publish_frames,
)
from dragonfly.core.amqp.packet import Delivery, Outgoing
from dragonfly.core.constants import APP_ID, CONTENT_ENCODING

SHORT = st.text(max_size=60)
HEADERS = st.dictionaries(
    SHORT, st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(), st.booleans(), st.none(), st.binary()), max_size=4
)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "content_type": SHORT,
        "content_encoding": SHORT,
        "headers": HEADERS,
        "delivery_mode": st.integers(0, 255),
        "priority": st.integers(0, 255),
        "correlation_id": SHORT,
        "reply_to": SHORT,
        "expiration": SHORT,
        "message_id": SHORT,
        "timestamp": st.integers(0, 2**63),
        "type": SHORT,
        "user_id": SHORT,
        "app_id": SHORT,
        "cluster_id": SHORT,
    },
)
WORDS = [name for name in Delivery.__slots__ if name != "arrived"]


def delivered(properties: dict[str, Any], body: bytes, key: Any = "peaches", redelivered: bool = False) -> bytes:
    """Return the frames of a message as a broker sends them."""
    method = frame.Method(5, spec.Basic.Deliver("a tag", 7, redelivered, "requests", key))
    header = frame.Header(5, len(body), spec.BasicProperties(**properties))
    return method.marshal() + header.marshal() + (frame.Body(5, body).marshal() if body else b"")


def read_by_pika(buffer: bytes) -> Delivery:
    read = []
    while buffer:
        size, value = frame.decode_frame(buffer)
        buffer = buffer[size:]
        read.append(value)
    method, header, *bodies = read
    return Delivery(method.method, header.properties, b"".join(part.fragment for part in bodies))


def words(delivery: Delivery) -> dict[str, Any]:
    return {name: getattr(delivery, name) for name in WORDS}


@given(PROPERTIES, st.binary(max_size=300), SHORT, st.booleans())
def test_a_message_is_read_as_pika_reads_it(
    properties: dict[str, Any], body: bytes, key: str, redelivered: bool
) -> None:
    buffer = delivered(properties, body, key, redelivered)
    read = delivery_at(b"before" + buffer + b"after", 6, None)
    assert read is not None
    assert read[1] == 6 + len(buffer)
    assert words(read[0]) == words(read_by_pika(buffer))


@given(PROPERTIES, st.binary(max_size=100))
def test_a_message_that_is_not_all_there_is_waited_for(properties: dict[str, Any], body: bytes) -> None:
    buffer = delivered(properties, body)
    for end in range(11, len(buffer)):
        with pytest.raises(Incomplete):
            delivery_at(buffer[:end], 0, None)


@given(PROPERTIES, st.binary(max_size=100), st.data())
def test_a_message_with_a_wrong_byte_is_read_as_pika_reads_it_or_left_to_pika(
    properties: dict[str, Any], body: bytes, data: st.DataObject
) -> None:
    buffer = bytearray(delivered(properties, body))
    buffer[data.draw(st.integers(11, len(buffer) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = delivery_at(bytes(buffer), 0, None)
    except Incomplete:
        return
    if read is not None:
        assert words(read[0]) == words(read_by_pika(bytes(buffer[: read[1]])))


@pytest.mark.parametrize(
    "buffer",
    [
        pytest.param(delivered({"reply_to": b"\xff"}, b"x"), id="a property that is no text"),
        pytest.param(delivered({}, b"x", key=b"\xff"), id="a key that is no text"),
        pytest.param(delivered({"headers": {"a": True}}, b"x").replace(b"\1at", b"\1a?"), id="a type of field"),
        pytest.param(delivered({}, b"body")[:-6] + b"\xce" * 6, id="another length"),
        pytest.param(delivered({}, b"x")[:-1] + b"\0", id="another end"),
        pytest.param(delivered({}, b"x").replace(b"\x03\0\5", b"\x08\0\5"), id="another kind of frame"),
        pytest.param(delivered({}, b"x").replace(b"\x02\0\5", b"\x02\0\6"), id="another channel"),
        pytest.param(delivered({}, b"x").replace(b"\0\x3c\0\0\0\0", b"\0\x0a\0\0\0\0"), id="another class"),
    ],
)
def test_what_is_not_as_expected_is_left_to_pika(buffer: bytes) -> None:
    assert delivery_at(buffer + bytes(100), 0, None) is None


def test_a_frame_is_known_by_its_method() -> None:
    assert method_at(delivered({}, b"x"), 0) == (DELIVER, 5)
    methods = [spec.Basic.Ack(1), spec.Basic.Nack(1)]
    assert [method_at(frame.Method(2, method).marshal(), 0)[0] for method in methods] == [*CONFIRMS]
    assert method_at(frame.Heartbeat().marshal() * 2, 0) == (0, 0)
    assert method_at(delivered({}, b"x")[:10], 0) == (0, 0)


@given(st.integers(0, 2**63), st.booleans(), st.booleans())
def test_a_confirm_is_read(tag: int, multiple: bool, accepted: bool) -> None:
    method = spec.Basic.Ack(tag, multiple) if accepted else spec.Basic.Nack(tag, multiple)
    buffer = frame.Method(9, method).marshal()
    assert confirm_at(buffer, 0) == (Confirm(9, tag, multiple, accepted), len(buffer))
    assert confirm_at(buffer[:-1] + b"\0", 0) is None
    with pytest.raises(Incomplete):
        confirm_at(buffer[:-1], 0)


@given(
    st.binary(max_size=100),
    st.integers(1, 40),
    st.fixed_dictionaries(
        {"mandatory": st.booleans(), "persistent": st.booleans()},
        optional={
            "correlation_id": st.one_of(SHORT, st.binary(max_size=100)),
            "reply_to": SHORT,
            "headers": HEADERS.filter(bool),
            "expiration": st.integers(0, 10**9),
            "message_id": SHORT,
        },
    ),
)
def test_a_message_is_packed_as_pika_packs_it(body: bytes, most: int, fields: dict[str, Any]) -> None:
    outgoing = Outgoing("requests", "peaches", body, **fields)
    properties = spec.BasicProperties(
        content_encoding=CONTENT_ENCODING,
        app_id=APP_ID,
        headers=outgoing.headers,
        delivery_mode=2 if outgoing.persistent else None,
        correlation_id=outgoing.correlation_id,
        reply_to=outgoing.reply_to,
        expiration=None if outgoing.expiration is None else str(outgoing.expiration),
        message_id=outgoing.message_id,
    )
    method = spec.Basic.Publish(exchange="requests", routing_key="peaches", mandatory=outgoing.mandatory)
    parts = [frame.Body(6, body[at : at + most]).marshal() for at in range(0, len(body), most)]
    expected = frame.Method(6, method).marshal() + frame.Header(6, len(body), properties).marshal() + b"".join(parts)
    assert b"".join(publish_frames(6, outgoing, most)) == expected

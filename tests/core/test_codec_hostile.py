"""Bytes that are no message: each is an error with a code, and soon."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from dragonfly.core.codec import decode, encode
from dragonfly.core.exceptions import (
    DriplineDecodingError,
    DriplineError,
    DriplineMethodNotSupportedError,
    DriplineNoMessageEncodingError,
)
from tests.core.bodies import JSON, OBSERVED, body


@pytest.mark.parametrize("encoding", [None, ""])
def test_no_encoding_is_301(encoding: Any) -> None:
    with pytest.raises(DriplineNoMessageEncodingError, match="no content_encoding"):
        decode(body(), encoding)


@pytest.mark.parametrize(
    "encoding",
    [
        *("application/msgpack", "gzip", "application/json; charset=utf-8", "application/JSON", "\\xff", " "),
        *("b'application/json'", b"application/json", 5, True, [JSON], {"json": 1}, "x" * 10_000),
    ],
)
def test_any_other_encoding_is_302_and_named(encoding: Any) -> None:
    with pytest.raises(DriplineDecodingError, match="not recognized") as caught:
        decode(body(), encoding)
    assert str(encoding)[:20].replace("\\", "\\\\") in str(caught.value).replace('"', "'")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("rotten", "why"),
    [
        (b"", "it is empty"),
        (b" ", "not JSON"),
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b"{'msgtype': 3}", "not JSON"),
        (body() + b"x", "not JSON"),
        (b"\xef\xbb\xbf" + body(), "not JSON"),
        (b'{"msgtype": 3, "msgop": 1, "payload": "\x00"}', "not JSON"),
        (b"\x83\xa7msgtype\x03", "not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"msgtype": 3, "msgop": 1, "payload": "\xed\xa0\x80"}', "not UTF-8"),
        (b"{}", "msgtype must be"),
        (b"[]", "a message is a JSON object, not an array"),
        (b"[1, 2]", "not an array"),
        (b"5", "not a number"),
        (b"1.5", "not a number"),
        (b"null", "not null"),
        (b"true", "not true or false"),
        (b'"text"', "not a text"),
        (b"NaN", "a message is a JSON object"),
        (body(msgtype=...), "msgtype must be 2, 3, 4 or 5, not 'None'"),
        (body(msgtype=None), "msgtype must be"),
        (body(msgtype=1), "msgtype must be"),
        (body(msgtype=6), "msgtype must be"),
        (body(msgtype=-3), "msgtype must be"),
        (body(msgtype=10**300), "msgtype must be"),
        (body(msgtype=True), "msgtype must be"),
        (body(msgtype="3"), "msgtype must be"),
        (body(msgtype=3.0), "msgtype must be"),
        (body(msgtype=[3]), "msgtype must be"),
        (body(msgtype={"3": 3}), "msgtype must be"),
        (body(msgop=...), "the request has no msgop"),
        (body(msgop=None), "msgop must be a whole number"),
        (body(msgop=True), "msgop must be a whole number"),
        (body(msgop="1"), "msgop must be a whole number"),
        (body(msgop=1.0), "msgop must be a whole number"),
        (body(msgop=[1]), "msgop must be a whole number"),
        (body(msgop={}), "msgop must be a whole number"),
        (body(msgtype=2, retcode="0"), "retcode must be a whole number"),
        (body(msgtype=2, retcode=None), "retcode must be a whole number"),
        (body(msgtype=2, retcode=True), "retcode must be a whole number"),
        (body(msgtype=2, retcode=[0]), "retcode must be a whole number"),
        (b'{"msgtype": 2, "retcode": NaN}', "retcode must be a whole number"),
        (b'{"msgtype": 3, "msgop": 1, "payload": %s}' % (b"9" * 5000), "too many digits"),
        (b'{"msgtype": %s}' % (b"9" * 5000), "too many digits"),
    ],
)
def test_a_rotten_body_is_302_with_the_reason(rotten: bytes, why: str) -> None:
    with pytest.raises(DriplineDecodingError) as caught:
        decode(rotten, JSON)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("operation", [2, 3, 4, 5, 10, 99, -1, 10**300])
def test_an_operation_that_does_not_exist_is_306_and_the_text_lists_those_that_do(operation: int) -> None:
    with pytest.raises(DriplineMethodNotSupportedError, match="0 set, 1 get, 6 config, 7 send, 8 run, 9 cmd"):
        decode(body(msgop=operation), JSON)


@pytest.mark.parametrize("depth", [65, 500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
@pytest.mark.parametrize("frame", [b'{"msgtype": 3, "msgop": 1, "payload": %s}', b"%s"])
def test_deep_nesting_is_302_at_once(depth: int, opening: bytes, closing: bytes, frame: bytes) -> None:
    nested = frame % (opening * depth + b"1" + closing * depth)
    started = time.perf_counter()
    with pytest.raises(DriplineDecodingError, match="nested deeper than 64"):
        decode(nested, JSON)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_that_never_closes_is_302_at_once(opening: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(DriplineDecodingError):
        decode(opening * 100_000, JSON)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(("limit", "depth", "accepted"), [(64, 63, True), (64, 64, False), (3, 2, True), (3, 3, False)])
@pytest.mark.parametrize("sibling", [b"", b', "extra": [[], [], {}, [1], [2], {"a": 3}]'])
def test_the_limit_counts_the_message_itself_and_no_siblings(
    limit: int, depth: int, accepted: bool, sibling: bytes
) -> None:
    nested = b'{"msgtype": 4, "payload": %s%s}' % (b"[" * depth + b"1" + b"]" * depth, sibling)
    try:
        decode(nested, JSON, limit)
    except DriplineDecodingError:
        assert not accepted
    else:
        assert accepted


@pytest.mark.parametrize("payload", [[[]] * 10_000, [{}] * 10_000, "[{" * 10_000, {str(n): [] for n in range(999)}])
def test_many_brackets_side_by_side_are_no_nesting(payload: Any) -> None:
    assert decode(body(payload=payload), JSON).payload == payload


def mutilated(whole: bytes) -> Iterator[bytes]:
    for position in range(len(whole)):
        yield whole[:position]
        for byte in b'\x00\xff"{[9-n':
            yield whole[:position] + bytes([byte]) + whole[position + 1 :]


@pytest.mark.parametrize("whole", [OBSERVED[3][0], OBSERVED[4][0], OBSERVED[6][0]])
def test_a_mutilated_body_is_a_message_or_an_error_with_a_code(whole: bytes) -> None:
    outcomes = {"message": 0, "error": 0}
    for rotten in mutilated(whole):
        try:
            encode(decode(rotten, JSON))
        except DriplineError as err:
            assert err.retcode in (302, 306)
            outcomes["error"] += 1
        else:
            outcomes["message"] += 1
    assert min(outcomes.values()) > 100


def test_a_body_that_is_too_large_is_refused_by_its_size_alone() -> None:
    with pytest.raises(DriplineDecodingError) as caught:
        decode(b"\xff" * 101, None, max_size=100)
    assert str(caught.value) == "the message has 101 bytes, and at most 100 are read"
    assert decode(body(), JSON, max_size=len(body()))
    with pytest.raises(DriplineDecodingError, match="and at most 16777216 are read"):
        decode(b"\xff" * (16 * 1024 * 1024 + 1), JSON)

"""Bytes to messages and back, whatever the bytes are."""

import json
import math
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from dragonfly.core.codec import decode, encode
from dragonfly.core.exceptions import (
    DriplineDecodingError,
    DriplineError,
    DriplineMethodNotSupportedError,
    DriplineNoMessageEncodingError,
    DriplinePayloadError,
)
from dragonfly.core.message import AlertMessage, InfoMessage, Message, ReplyMessage, RequestMessage

JSON = "application/json"
SENDER = (
    b'"sender_info": {"username": "lab", "exe": "/usr/local/bin/dragonfly", "package": "dripline",'
    b' "hostname": "host", "version": "v3.1.0", "commit": "gb107ec5"}'
)


def body(**fields: Any) -> bytes:
    """Return a request's body with these fields instead of its own; a field of `...` is left out."""
    whole = {"msgtype": 3, "msgop": 1, "payload": {"values": []}, **fields}
    return json.dumps({key: value for key, value in whole.items() if value is not ...}).encode()


# What the tutorial's version sent, as a broker saw it.
OBSERVED: list[tuple[bytes, type[Message], dict[str, Any]]] = [
    (
        b'{"timestamp": "2026-11-24T06:04:45Z", "msgop": 6, "msgtype": 3, %s,'
        b' "payload": {"values": ["log_interval"]}}' % SENDER,
        RequestMessage,
        {"msgop": 6, "payload": {"values": ["log_interval"]}, "lockout_key": None},
    ),
    (
        b'{"timestamp": "2026-11-24T06:04:47Z", "msgop": 1, "msgtype": 3, %s, "payload": {"values": []}}' % SENDER,
        RequestMessage,
        {"msgop": 1, "payload": {"values": []}, "timestamp": "2026-11-24T06:04:47Z"},
    ),
    (
        b'{"timestamp": "2026-11-24T06:04:51Z", "msgop": 9, "msgtype": 3, %s,'
        b' "payload": {"values": [], "value": 2.5}}' % SENDER,
        RequestMessage,
        {"msgop": 9, "payload": {"values": [], "value": 2.5}},
    ),
    (
        b'{"msgtype": 3, %s, "lockout_key": "abcd", "timestamp": "2026-11-24T06:04:50Z",'
        b' "payload": {"values": [10]}, "msgop": 0}' % SENDER,
        RequestMessage,
        {"msgop": 0, "payload": {"values": [10]}, "lockout_key": "abcd"},
    ),
    (
        b'{"msgtype": 2, %s, "timestamp": "2026-11-24T06:04:47Z",'
        b' "payload": {"value_cal": 1.5, "value_raw": "0.75"}, "return_msg": "", "retcode": 0}' % SENDER,
        ReplyMessage,
        {"payload": {"value_cal": 1.5, "value_raw": "0.75"}, "retcode": 0, "return_msg": ""},
    ),
    (
        b'{"msgtype": 2, %s, "timestamp": "2026-11-24T06:04:51Z", "payload": {"values": [null]}, "return_msg":'
        b' "on_set() got an unexpected keyword argument \'routing_key_specifier\'", "retcode": 999}' % SENDER,
        ReplyMessage,
        {"payload": {"values": [None]}, "retcode": 999},
    ),
    (
        b'{"timestamp": "2026-11-24T06:04:49Z", "msgtype": 4,'
        b' "payload": {"value_cal": 2.98, "value_raw": "1.49"}, %s}' % SENDER,
        AlertMessage,
        {"payload": {"value_cal": 2.98, "value_raw": "1.49"}},
    ),
]


@pytest.mark.parametrize(("bytes_", "kind", "attributes"), OBSERVED)
def test_the_originals_messages_are_understood_and_come_out_the_same(
    bytes_: bytes, kind: type[Message], attributes: dict[str, Any]
) -> None:
    message = decode(bytes_, JSON)
    assert type(message) is kind
    assert {name: getattr(message, name) for name in attributes} == attributes
    assert message.sender_info["version"] == "v3.1.0"
    assert message.extra == {}
    assert json.loads(encode(message)) == json.loads(bytes_)


@pytest.mark.parametrize(
    "message",
    [
        RequestMessage(0, {"values": [1.5], "unit": "V"}, lockout_key="ab" * 16),
        RequestMessage(7, {"values": ["*IDN?", "\N{DEGREE SIGN}"]}),
        ReplyMessage({"value_raw": None}, retcode=1200, return_msg="no\n\0"),
        ReplyMessage([1, {"a": [True, None]}]),
        AlertMessage("text"),
        AlertMessage(None),
        AlertMessage("\ud800"),
        InfoMessage([], extra={"colour": "red"}, timestamp="", sender_info={}),
    ],
)
def test_a_message_survives_the_wire(message: Message) -> None:
    received = decode(encode(message), JSON)
    assert type(received) is type(message)
    assert received.to_dict() == message.to_dict()


@pytest.mark.parametrize("encoding", [JSON, "text/json", "json", "application/vnd.lab+json"])
def test_an_encoding_that_ends_in_json_is_json(encoding: str) -> None:
    assert isinstance(decode(body(), encoding), RequestMessage)


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


@pytest.mark.parametrize(("literal", "text"), [(b"NaN", "nan"), (b"Infinity", "inf"), (b"-Infinity", "-inf")])
def test_literals_that_json_does_not_have_are_read_as_texts(literal: bytes, text: str) -> None:
    message = decode(b'{"msgtype": 4, "payload": [%s]}' % literal, JSON)
    assert message.payload == [text]


def test_a_number_beyond_every_float_can_be_sent_on() -> None:
    message = decode(b'{"msgtype": 4, "payload": 1e999}', JSON)
    assert json.loads(encode(message))["payload"] == "inf"


def test_lone_surrogates_survive() -> None:
    message = decode(b'{"msgtype": 4, "payload": {"\\ud800": "\\udfff"}, "\\udc00": 1}', JSON)
    assert message.payload == {"\ud800": "\udfff"}
    assert decode(encode(message), JSON).to_dict() == message.to_dict()


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert decode(b'{"msgtype": 3, "payload": 1, "msgtype": 4, "payload": 2}', JSON).payload == 2


@pytest.mark.parametrize(
    ("bytes_", "extra"),
    [
        (body(colour="red", target="peaches"), {"colour": "red", "target": "peaches"}),
        (body(retcode=0, return_msg=""), {"retcode": 0, "return_msg": ""}),
        (body(msgtype=4, lockout_key="k"), {"msgop": 1, "lockout_key": "k"}),
        (body(extra={"x": 1}, MSGOP=2), {"extra": {"x": 1}, "MSGOP": 2}),
    ],
)
def test_unknown_fields_are_kept_and_come_last(bytes_: bytes, extra: dict[str, Any]) -> None:
    message = decode(bytes_, JSON)
    assert message.extra == extra
    sent = json.loads(encode(message))
    assert list(sent.items())[-len(extra) :] == list(extra.items())


@pytest.mark.parametrize("sender", [..., None, [], ["lab"], "lab", 5, True])
def test_a_sender_of_a_wrong_kind_is_nobody(sender: Any) -> None:
    message = decode(body(sender_info=sender), JSON)
    assert message.sender_info == {}
    assert message.service_name == ""


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (..., ""),
        (None, ""),
        ("2026-11-24T06:04:45.123456Z", "2026-11-24T06:04:45.123456Z"),
        ("not a time", "not a time"),
        (1764000000, "1764000000"),
        ([1], "[1]"),
    ],
)
def test_a_timestamp_is_a_text_whatever_came(timestamp: Any, text: str) -> None:
    assert decode(body(timestamp=timestamp), JSON).timestamp == text


@pytest.mark.parametrize(("came", "text"), [(..., ""), (None, ""), ("no", "no"), (5, "5"), ({"a": 1}, "{'a': 1}")])
def test_a_return_msg_is_a_text_whatever_came(came: Any, text: str) -> None:
    message = decode(body(msgtype=2, retcode=304, return_msg=came), JSON)
    assert isinstance(message, ReplyMessage)
    assert (message.retcode, message.return_msg) == (304, text)


def test_a_reply_without_retcode_succeeded() -> None:
    message = decode(b'{"msgtype": 2}', JSON)
    assert isinstance(message, ReplyMessage)
    assert (message.retcode, message.payload) == (0, {"values": [None]})


@pytest.mark.parametrize("key", [None, "abcd", 5, ["k"], {"a": 1}, True])
def test_a_lockout_key_of_any_kind_reaches_whoever_checks_it(key: Any) -> None:
    message = decode(body(lockout_key=key), JSON)
    assert isinstance(message, RequestMessage)
    assert message.lockout_key == key


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


@pytest.mark.parametrize(
    ("payload", "carried"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        ({"value_cal": math.nan, "value_raw": 1.5}, {"value_cal": "nan", "value_raw": 1.5}),
        ([1, [math.inf, {"a": (-math.inf, None, True)}]], [1, ["inf", {"a": ["-inf", None, True]}]]),
        ({math.nan: 1, 2.5: {-math.inf: 3}}, {"nan": 1, "2.5": {"-inf": 3}}),
    ],
)
def test_what_json_has_no_number_for_travels_as_a_text(payload: Any, carried: Any) -> None:
    assert json.loads(encode(AlertMessage(payload)))["payload"] == carried


def test_encoding_leaves_the_payload_as_it_was() -> None:
    payload = {"a": [math.nan, {"b": math.inf}]}
    encode(AlertMessage(payload))
    assert math.isnan(payload["a"][0]) and payload["a"][1] == {"b": math.inf}


def test_a_body_is_ascii() -> None:
    assert encode(AlertMessage("\N{DEGREE SIGN}C \N{SNOWMAN}")).isascii()


def circular(container: Any) -> Any:
    if isinstance(container, dict):
        container["self"] = [container]
    else:
        container.append({"self": container})
    return container


def nested(depth: int) -> Any:
    value: Any = math.nan
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "make",
    [
        object,
        lambda: {1, 2},
        lambda: b"bytes",
        lambda: {(1, 2): 3},
        lambda: {(1, math.nan): 3},
        lambda: {b"key": 1},
        lambda: {None: math.nan, object(): 1},
        lambda: [1, {"a": object()}],
        lambda: [math.nan, object()],
        lambda: 1j,
        lambda: Decimal("0.75"),
        lambda: datetime.now(timezone.utc),
        lambda: 10**5000,
        lambda: [math.nan, 10**5000],
        lambda: {10**5000: 1},
        lambda: circular([]),
        lambda: circular({}),
        lambda: circular([math.nan]),
        lambda: nested(100_000),
        lambda: range(3),
        lambda: iter([]),
    ],
)
def test_what_json_cannot_carry_is_303(make: Any) -> None:
    message = ReplyMessage(make())
    started = time.perf_counter()
    with pytest.raises(DriplinePayloadError, match="^the value cannot be carried by JSON: ") as caught:
        encode(message)
    assert caught.value.retcode == 303
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("payload", "carried"),
    [((1, 2), [1, 2]), ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}), (10**300, 10**300)],
)
def test_what_json_can_carry_in_another_form_is_carried(payload: Any, carried: Any) -> None:
    assert json.loads(encode(AlertMessage(payload)))["payload"] == carried

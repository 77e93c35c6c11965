"""The fields of a message that came: unknown, missing, or of a wrong kind."""

import json
from typing import Any

import pytest

from dragonfly.core.codec import decode, encode
from dragonfly.core.message import ReplyMessage, RequestMessage
from tests.core.bodies import JSON, body


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

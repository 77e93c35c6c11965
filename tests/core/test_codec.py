"""Bytes to messages and back."""

import json
from typing import Any

import pytest

from dragonfly.core.codec import SenderEncoder, decode, encode
from dragonfly.core.constants import OP_SET
from dragonfly.core.exceptions import DriplinePayloadError
from dragonfly.core.message import AlertMessage, InfoMessage, Message, ReplyMessage, RequestMessage
from tests.core.bodies import JSON, OBSERVED, body

SENDER = {"username": "alice", "hostname": "lab1", "service_name": "my_store \N{DEGREE SIGN}"}


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
    "message",
    [
        ReplyMessage(0.75, sender_info=SENDER),
        ReplyMessage({"value_raw": float("nan")}, retcode=2, return_msg="\N{DEGREE SIGN}", sender_info=SENDER),
        ReplyMessage(None, sender_info=dict(SENDER)),
        ReplyMessage(None, sender_info={"username": "bob"}),
        ReplyMessage(None, sender_info=SENDER, extra={"colour": "red"}),
        ReplyMessage(None, sender_info=SENDER, extra={"timestamp": "another", "payload": 1}),
        RequestMessage(OP_SET, {"values": [5]}, lockout_key="k", sender_info=SENDER),
        AlertMessage({"a": [1]}, timestamp='the "timestamp" of a peer', sender_info=SENDER),
    ],
)
def test_who_encodes_for_one_sender_says_the_same(message: Message) -> None:
    assert SenderEncoder(SENDER).encode(message) == encode(message)


def test_for_one_sender_what_cannot_be_carried_is_the_same_error() -> None:
    with pytest.raises(DriplinePayloadError, match="cannot be carried by JSON"):
        SenderEncoder(SENDER).encode(ReplyMessage({"value_raw": object()}, sender_info=SENDER))

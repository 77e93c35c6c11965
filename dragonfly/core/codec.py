"""Messages to bytes and back.

Rules:
1. The body is a JSON object; `content_encoding` says so and ends in `json`. Any other encoding is refused.
2. A field that this release does not know is kept in `extra` and otherwise ignored, so that releases can be mixed.
3. NaN and the infinities, which JSON does not have, travel as the texts 'nan', 'inf' and '-inf'.
4. Whatever the bytes are, the answer is a message or one of the exceptions below, in bounded time. A body that is too
   large is not even looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from dragonfly.core.constants import OPERATION_NAMES, T_ALERT, T_INFO, T_REPLY, T_REQUEST
from dragonfly.core.exceptions import (
    DriplineDecodingError,
    DriplineMethodNotSupportedError,
    DriplineNoMessageEncodingError,
    DriplinePayloadError,
)
from dragonfly.core.message import AlertMessage, InfoMessage, Message, ReplyMessage, RequestMessage

DEFAULT_MAX_DEPTH = 64
DEFAULT_MAX_MESSAGE_SIZE = 16 * 1024 * 1024  # bytes

# From body and content_encoding to the message.
Decode = Callable[[bytes, object], Message]

_CONSTANT_TEXTS = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def _parsed_float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else str(value)  # 1e999 is an infinity, too


_DECODER = json.JSONDecoder(parse_float=_parsed_float, parse_constant=_CONSTANT_TEXTS.__getitem__)
_ENCODER = json.JSONEncoder(allow_nan=False)

_HEAD = {"msgtype", "timestamp", "sender_info"}
_COMMON = _HEAD | {"payload"}
_KNOWN = {
    T_REQUEST: _COMMON | {"msgop", "lockout_key"},
    T_REPLY: _COMMON | {"retcode", "return_msg"},
    T_ALERT: _COMMON,
    T_INFO: _COMMON,
}


def encode(message: Message) -> bytes:
    """Return the body of a message.

    Raises:
        DriplinePayloadError: the payload holds something that JSON cannot carry.
    """
    return _dumped(message.to_dict()).encode("ascii")


class SenderEncoder:
    """Encodes the messages of one sender, and who that is only once: of a short reply that is two thirds.

    It is measured by tests/bench pipelined_get, of which it takes 5 %.

    Args:
        sender_info: who sends; it must not change.
    """

    def __init__(self, sender_info: dict[str, Any]) -> None:
        self.sender_info = sender_info
        self._text = _dumped(sender_info)

    def encode(self, message: Message) -> bytes:
        """Return the body of a message, the same as `encode` does.

        Raises:
            DriplinePayloadError: the payload holds something that JSON cannot carry.
        """
        content = message.content()
        if message.sender_info is not self.sender_info or not _HEAD.isdisjoint(content):
            return encode(message)
        head = f'{{"msgtype": {message.msgtype}, "timestamp": {_ENCODER.encode(message.timestamp)}, "sender_info": '
        return f"{head}{self._text}, {_dumped(content)[1:]}".encode("ascii")


def _dumped(fields: dict[str, Any]) -> str:
    try:
        try:
            return _ENCODER.encode(fields)
        except ValueError:  # NaN or an infinity, maybe: once more, with their texts
            return _ENCODER.encode(_finite(fields))
    except RecursionError as err:
        raise DriplinePayloadError(
            "the value cannot be carried by JSON: it is nested too deep, or holds itself"
        ) from err
    except (TypeError, ValueError) as err:
        raise DriplinePayloadError(f"the value cannot be carried by JSON: {err}") from err


def decode(
    body: bytes,
    content_encoding: object,
    max_depth: int = DEFAULT_MAX_DEPTH,
    max_size: int = DEFAULT_MAX_MESSAGE_SIZE,
) -> Message:
    """Return the message that a body holds.

    Args:
        body: the bytes.
        content_encoding: the AMQP property of that name.
        max_depth: how many arrays and objects may stand in one another.
        max_size: how long the body may be, bytes.

    Raises:
        DriplineNoMessageEncodingError: there is no content_encoding.
        DriplineDecodingError: too large, another encoding, no JSON, or no message of this protocol.
        DriplineMethodNotSupportedError: a request for an operation that does not exist.
    """
    if len(body) > max_size:
        raise DriplineDecodingError(f"the message has {len(body)} bytes, and at most {max_size} are read")
    _check_encoding(content_encoding)
    fields = _decode_json(body, max_depth)
    if not isinstance(fields, dict):
        raise DriplineDecodingError(f"a message is a JSON object, not {_kind(fields)}")
    return _message(fields)


def _check_encoding(content_encoding: object) -> None:
    if content_encoding is None or content_encoding == "":
        raise DriplineNoMessageEncodingError("the message has no content_encoding; application/json was expected")
    if not (isinstance(content_encoding, str) and content_encoding.endswith("json")):
        raise DriplineDecodingError(
            f"encoding {str(content_encoding)[:80]!r} not recognized; application/json was expected"
        )


def _decode_json(body: bytes, max_depth: int) -> Any:
    try:
        fields = _parsed(body.decode("utf-8"))
    except UnicodeDecodeError as err:
        raise DriplineDecodingError(f"the message is not UTF-8: {err.reason} at byte {err.start}") from err
    except json.JSONDecodeError as err:
        reason = "it is empty" if not body else f"{err.msg} at character {err.pos}"
        raise DriplineDecodingError(f"the message is not JSON: {reason}") from err
    except RecursionError as err:
        raise DriplineDecodingError(f"the message is nested deeper than {max_depth}") from err
    except ValueError as err:
        # A number of more digits than Python converts (its guard against quadratic time).
        raise DriplineDecodingError("the message holds a number of too many digits") from err
    # Counting brackets is far cheaper than walking the values, and nearly always says enough.
    if body.count(b"[") + body.count(b"{") > max_depth and _deeper_than(fields, max_depth):
        raise DriplineDecodingError(f"the message is nested deeper than {max_depth}")
    return fields


def _parsed(text: str) -> Any:
    try:
        # Without the blanks around it that there might be: looking for them takes as long as a quarter of the rest.
        fields, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        return _DECODER.decode(text)
    return fields if end == len(text) else _DECODER.decode(text)


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _message(fields: dict[str, Any]) -> Message:
    msgtype = fields.get("msgtype")
    if type(msgtype) is not int or msgtype not in _KNOWN:
        raise DriplineDecodingError(
            f"msgtype must be {T_REPLY}, {T_REQUEST}, {T_ALERT} or {T_INFO}, not {str(msgtype)[:80]!r}"
        )
    known = _KNOWN[msgtype]
    sender = fields.get("sender_info")
    timestamp = str(fields.get("timestamp") or "")
    sender = sender if isinstance(sender, dict) else {}
    extra = {} if fields.keys() <= known else {key: fields[key] for key in fields if key not in known}
    payload = fields.get("payload")
    if msgtype == T_REQUEST:
        return RequestMessage(
            _operation(fields),
            payload,
            lockout_key=fields.get("lockout_key"),
            timestamp=timestamp,
            sender_info=sender,
            extra=extra,
        )
    if msgtype == T_REPLY:
        retcode = fields.get("retcode", 0)
        if type(retcode) is not int:
            raise DriplineDecodingError(f"retcode must be a whole number, not {str(retcode)[:80]!r}")
        text = str(fields.get("return_msg") or "")
        return ReplyMessage(
            payload, retcode=retcode, return_msg=text, timestamp=timestamp, sender_info=sender, extra=extra
        )
    made = AlertMessage if msgtype == T_ALERT else InfoMessage
    return made(payload, timestamp=timestamp, sender_info=sender, extra=extra)


def _operation(fields: dict[str, Any]) -> int:
    if "msgop" not in fields:
        raise DriplineDecodingError("the request has no msgop: it does not say which operation it wants")
    operation = fields["msgop"]
    if type(operation) is not int:
        raise DriplineDecodingError(f"msgop must be a whole number, not {str(operation)[:80]!r}")
    if operation not in OPERATION_NAMES:
        names = ", ".join(f"{number} {name}" for number, name in OPERATION_NAMES.items())
        raise DriplineMethodNotSupportedError(
            f"there is no operation {str(operation)[:20]}; the operations are {names}"
        )
    return operation


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {_finite(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _kind(value: object) -> str:
    kinds = {list: "an array", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")

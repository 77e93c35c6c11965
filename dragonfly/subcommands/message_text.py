"""Messages as people and programs read them.

The order of the fields is the tutorial's, whatever the sender's was; unknown fields come last. Secrets, such as lockout
keys, are masked as core/masking.py says.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

from dragonfly.core.masking import masked_fields, masked_payload, masked_text, may_hold_secret
from dragonfly.core.message import Message, ReplyMessage

# Requests, replies and alerts each have some of these, and one order suits them all.
_FIELDS = ("timestamp", "sender_info", "retcode", "return_msg", "payload", "msgop", "lockout_key")
_SENDER_FIELDS = ("username", "exe", "package", "hostname", "version", "commit", "service_name")
_encode = json.JSONEncoder().encode
# So much of what is no message is shown: it may be of any size, bytes.
_LONGEST_SHOWN = 100_000


def shown_fields(message: Message, target: str, masked: bool = True) -> dict[str, Any]:
    """Return a message's fields in the order to show them, without its msgtype.

    Args:
        message: the message.
        target: the routing key with which it came, or of the request that it answers.
        masked: whether secrets in it are replaced.
    """
    fields = message.to_dict()
    del fields["msgtype"]
    if masked:
        fields = masked_fields(target, fields)
    fields["sender_info"] = _in_order(fields["sender_info"], _SENDER_FIELDS)
    return _in_order(fields, _FIELDS)


def shown_payload(message: Message, target: str, masked: bool = True) -> Any:
    """Return what a message is about, as it may be shown; `target` and `masked` as in shown_fields."""
    return masked_payload(target, message.payload) if masked else message.payload


def indented(value: Any, columns: int) -> str:
    """Return a value as JSON over several lines, with letters such as µ as they are.

    It is what json.dumps does, several times faster: a monitor has to keep up with a laboratory.
    """
    return _indented(value, " " * columns, "\n")


def _indented(value: Any, step: str, line_end: str) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    inner = line_end + step
    if isinstance(value, dict) and value:
        pairs = [f"{encode_basestring(key)}: {_indented(item, step, inner)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(pairs)}{line_end}}}"
    if isinstance(value, list) and value:
        items = [_indented(item, step, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{line_end}]"
    return _encode(value)


def one_line(value: Any) -> str:
    """Return a value as JSON on one line, in ASCII: it survives every pipe and terminal."""
    return _encode(value)


def reply_line(reply: ReplyMessage, target: str) -> str:
    """Return the reply to a request as one line for programs."""
    fields = {
        "target": target,
        "service": reply.service_name,
        "retcode": reply.retcode,
        "return_msg": reply.return_msg,
        "payload": reply.payload,
        "timestamp": reply.timestamp,
    }
    return one_line(fields)


def undecoded(body: bytes, target: str, masked: bool = True) -> str:
    """Return bytes that are no message as text; `target` and `masked` as in shown_fields."""
    shown = body[:_LONGEST_SHOWN]
    if masked and may_hold_secret(target, shown):
        text = masked_text(target, shown)
    else:
        text = shown.decode("utf-8", "backslashreplace")
    left = len(body) - _LONGEST_SHOWN
    return f"{text}... and {left} bytes more" if left > 0 else text


def _in_order(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    ordered = {name: fields[name] for name in names if name in fields}
    ordered.update(fields)  # the rest, last; the places of the others stay
    return ordered

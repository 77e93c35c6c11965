"""Messages as people and programs read them.

The order of the fields is the tutorial's, whatever the sender's was; unknown fields come last. A lockout key
is a secret and never shown: neither where a request carries it, nor in the reply to a lock, which has it as
`lockout-key` and, for older clients, as `key` beside that.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import Any

from dragonfly.core.message import Message, ReplyMessage

# Requests, replies and alerts each have some of these, and one order suits them all.
_FIELDS = ("timestamp", "sender_info", "retcode", "return_msg", "payload", "msgop", "lockout_key")
_SENDER_FIELDS = ("username", "exe", "package", "hostname", "version", "commit", "service_name")
_MASK = "***"
_encode = json.JSONEncoder().encode
_LOCKOUT_KEY = "lockout_key"
_VALUE_IN_TEXT = r"""("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,}\]]+)"""
_LOCKOUT_KEY_IN_TEXT = re.compile(r"""(lockout[_-]key["']?\s*[:=]\s*)""" + _VALUE_IN_TEXT, re.IGNORECASE | re.DOTALL)
_KEY_IN_TEXT = re.compile(r"""(["']key["']\s*:\s*)""" + _VALUE_IN_TEXT, re.DOTALL)


def may_hold_key(body: bytes) -> bool:
    """Tell whether the bytes of a message may hold a lockout key; nearly no message does."""
    # In JSON any letter may be written by its number.
    return b"lockout" in body.lower() or b"\\u" in body


def shown_fields(message: Message, masked: bool = True) -> dict[str, Any]:
    """Return a message's fields in the order to show them, without its msgtype.

    Args:
        message: the message.
        masked: whether lockout keys in it are replaced.
    """
    fields = message.to_dict()
    del fields["msgtype"]
    if masked:
        fields = _masked(fields)
    fields["sender_info"] = _in_order(fields["sender_info"], _SENDER_FIELDS)
    return _in_order(fields, _FIELDS)


def shown_payload(message: Message, masked: bool = True) -> Any:
    """Return what a message is about, as it may be shown; `masked` as in shown_fields."""
    return _masked(message.payload) if masked else message.payload


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


def undecoded(body: bytes, show_keys: bool = False) -> str:
    """Return bytes that are no message as text, with what looks like a lockout key replaced unless `show_keys`."""
    text = body.decode("utf-8", "backslashreplace")
    if show_keys:
        return text
    text, found = _LOCKOUT_KEY_IN_TEXT.subn(rf'\1"{_MASK}"', text)
    return _KEY_IN_TEXT.sub(rf'\1"{_MASK}"', text) if found else text


def _masked(value: Any) -> Any:
    """Return a value with a mask in the place of each lockout key in it; the value itself stays as it is."""
    # Nearly no message has one, and to look for the word is cheaper than to walk through all values.
    return _walked(value) if "lockout" in repr(value).lower() else value


def _walked(value: Any) -> Any:
    if isinstance(value, dict):
        is_locking = any(map(_is_lockout_key, value))
        return {
            key: _MASK if is_locking and (key == "key" or _is_lockout_key(key)) else _walked(item)
            for key, item in value.items()
        }
    return [_walked(item) for item in value] if isinstance(value, (list, tuple)) else value


def _is_lockout_key(name: str) -> bool:
    return name.lower().replace("-", "_") == _LOCKOUT_KEY


def _in_order(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    ordered = {name: fields[name] for name in names if name in fields}
    ordered.update(fields)  # the rest, last; the places of the others stay
    return ordered

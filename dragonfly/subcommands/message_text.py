"""Messages as people and programs read them.

The order of the fields is the tutorial's, whatever the sender's was; unknown fields come last. A lockout key
is a secret and never shown.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import Any

from dragonfly.core.message import Message

# Requests, replies and alerts each have some of these, and one order suits them all.
_FIELDS = ("timestamp", "sender_info", "retcode", "return_msg", "payload", "msgop", "lockout_key")
_SENDER_FIELDS = ("username", "exe", "package", "hostname", "version", "commit", "service_name")
_MASK = "***"
_encode = json.JSONEncoder().encode
_LOCKOUT_KEY_IN_TEXT = re.compile(r'("lockout_key"\s*:\s*)("(?:[^"\\]|\\.)*"|[^\s,}]+)')


def shown_fields(message: Message) -> dict[str, Any]:
    """Return a message's fields in the order to show them, without its msgtype."""
    fields = message.to_dict()
    del fields["msgtype"]
    if "lockout_key" in fields:
        fields["lockout_key"] = _MASK
    fields["sender_info"] = _in_order(fields["sender_info"], _SENDER_FIELDS)
    return _in_order(fields, _FIELDS)


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


def undecoded(body: bytes) -> str:
    """Return bytes that are no message as text."""
    return _LOCKOUT_KEY_IN_TEXT.sub(rf'\1"{_MASK}"', body.decode("utf-8", "backslashreplace"))


def _in_order(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    ordered = {name: fields[name] for name in names if name in fields}
    ordered.update(fields)  # the rest, last; the places of the others stay
    return ordered

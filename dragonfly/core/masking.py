"""What of a message neither a log nor the monitor shows as it is: secrets, and what would not show on one line.

Rules:
1. A value is a secret by its name: a payload's entry, or the attribute that a request sets or reads, whose name ends in
   key, password, token or the like. The keys by which messages are routed are none.
2. A lock and an unlock have nothing but secrets where the key might have been put by mistake.
3. What cannot be read as JSON is searched as text: rather too much is masked then than too little.
4. A message that is larger than any that is read by default is not shown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dragonfly.core.codec import DEFAULT_MAX_MESSAGE_SIZE
from dragonfly.core.routing import split

MASK = "***"

_SECRET = r"(?:(?<!routing[_-])(?<!binding[_-])key|passwords?|passwd|passphrase|pwd|tokens?|secrets?|credentials?)"
_SECRET_NAME = re.compile(rf"{_SECRET}\Z", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    rf"""({_SECRET}["']?\s*[:=]\s*)""" + r"""("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[\[{].*|[^\s,}\]]+)""",
    re.IGNORECASE | re.DOTALL,
)
_LOCKING = ("lock", "unlock")
# Where none of these stands there is no secret: they are parts of the words above, and found faster.
_HINTS = (b"key", b"pass", b"pwd", b"token", b"secret", b"credential", b"lock")


def is_secret(name: str) -> bool:
    """Tell whether what bears a name is a secret."""
    return _SECRET_NAME.search(name) is not None


def may_hold_secret(target: str, body: bytes) -> bool:
    """Tell whether there may be a secret in a message's bytes; in nearly no message there is.

    Args:
        target: the routing key.
        body: the bytes.
    """
    text = target.encode("utf-8", "replace").lower() + body.lower()
    # In JSON any letter may be written by its number.
    return b"\\u" in text or any(hint in text for hint in _HINTS)


def masked(value: Any) -> Any:
    """Return a value with a mask in the place of each secret in it; the value itself stays as it is."""
    if isinstance(value, dict):
        return {name: MASK if is_secret(str(name)) else masked(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value


def masked_payload(target: str, payload: Any) -> Any:
    """Return the payload of a request, or of its reply, with a mask in the place of each secret in it.

    Args:
        target: the request's routing key.
        payload: the payload, which stays as it is.
    """
    result = masked(payload)
    values = result.get("values") if isinstance(result, dict) else None
    if not isinstance(values, list):
        return result
    endpoint, specifier = split(target)
    # `set peaches password x`, as the tutorial's era wrote it, is `set peaches.password x`.
    first = 0 if specifier else 1
    name = specifier or (values[0] if values and isinstance(values[0], str) else "")
    if not specifier and is_secret(endpoint):
        values[:] = [MASK] * len(values)
    elif is_secret(name) or name in _LOCKING:
        values[first:] = [MASK] * len(values[first:])
    return result


def masked_fields(target: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a message with a mask in the place of each secret in them.

    Args:
        target: the routing key of the request that it is, or answers.
        fields: the fields, which stay as they are.
    """
    shown = masked({name: value for name, value in fields.items() if name != "payload"})
    return {name: shown[name] if name in shown else masked_payload(target, fields[name]) for name in fields}


def masked_text(target: str, body: bytes) -> str:
    """Return a message's bytes as a line of text, with a mask in the place of each secret in it.

    Args:
        target: the routing key of the request that it is, or answers.
        body: the bytes.
    """
    if len(body) > DEFAULT_MAX_MESSAGE_SIZE:
        return f"{len(body)} bytes, which are too many to show"
    try:
        fields = json.loads(body)
        return json.dumps(masked_fields(target, fields) if isinstance(fields, dict) else masked(fields))
    except (ValueError, RecursionError):
        text = _SECRET_IN_TEXT.sub(rf"\1{MASK}", body.decode("utf-8", "backslashreplace"))
        return printable(text, len(text))


def printable(text: Any, longest: int = 80) -> str:
    """Return a text of anybody's as it can stand on one line: what would not show, or do something, is escaped."""
    shown = str(text)[:longest]
    if shown.isprintable():  # nearly all are, and each request has two
        return shown
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in shown
    )

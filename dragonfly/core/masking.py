"""What of a message must not stand in a log as it is: secrets, and what would not show on one line.

Rules:
1. A value is a secret by its name: a payload's entry, or the attribute that a request sets or reads, whose name ends in
   key, password, token or the like. The keys by which messages are routed are none.
2. A lock and an unlock have nothing but secrets where the key might have been put by mistake.
3. What cannot be read as JSON is searched as text: rather too much is masked then than too little.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dragonfly.core.routing import split

MASK = "***"

_SECRET = r"(?:(?<!routing[_-])(?<!binding[_-])key|passwords?|passwd|passphrase|pwd|tokens?|secrets?|credentials?)"
_SECRET_NAME = re.compile(rf"{_SECRET}\Z", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    rf"""({_SECRET}["']?\s*[:=]\s*)""" + r"""("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[\[{].*|[^\s,}\]]+)""",
    re.IGNORECASE | re.DOTALL,
)
_LOCKING = ("lock", "unlock")


def is_secret(name: str) -> bool:
    """Tell whether what bears a name is a secret."""
    return _SECRET_NAME.search(name) is not None


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


def masked_text(target: str, body: bytes) -> str:
    """Return a message's bytes as a line of text, with a mask in the place of each secret in it.

    Args:
        target: the routing key of the request that it is, or answers.
        body: the bytes.
    """
    try:
        fields = json.loads(body)
        if isinstance(fields, dict) and "payload" in fields:
            fields["payload"] = masked_payload(target, fields["payload"])
        return json.dumps(masked(fields))
    except (ValueError, RecursionError):
        text = _SECRET_IN_TEXT.sub(rf"\1{MASK}", body.decode("utf-8", "backslashreplace"))
        return printable(text, len(text))


def printable(text: Any, longest: int = 80) -> str:
    """Return a text of anybody's as it can stand on one line: what would not show, or do something, is escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in str(text)[:longest]
    )

"""The words after a target: the payload that they stand for."""

from __future__ import annotations

import math
from typing import Any

_WORDS = {"true": True, "false": False, "none": None, "nil": None, "null": None}
_RESERVED = "values"


def payload_as_typed(words: list[str]) -> dict[str, Any]:
    """Return the payload of a `send`: commands for an instrument are not read as numbers."""
    return {_RESERVED: list(words)}


def payload_from(words: list[str]) -> dict[str, Any]:
    """Return the payload of any other operation: values in their order, and an entry for each key=value.

    Raises:
        ValueError: a key is given twice or is reserved.
    """
    payload: dict[str, Any] = {_RESERVED: []}
    for word in words:
        key, equals, text = word.partition("=")
        if not (equals and key.isidentifier()):
            payload[_RESERVED].append(value_of(word))
        elif key == _RESERVED:
            raise ValueError(f"{word!r}: {_RESERVED!r} is for the values that have no key")
        elif key in payload:
            raise ValueError(f"{word!r}: {key!r} is given twice")
        else:
            payload[key] = value_of(text)
    return payload


def value_of(word: str) -> Any:
    """Return what a word stands for: a literal that JSON can carry, true, false, none, or the text itself."""
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    value = _literal(word)
    return value if value is not None and _json_can_carry(value) else word


def _literal(word: str) -> Any:
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about escapes such as '\d', which are the typist's business
        try:
            return ast.literal_eval(word)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None


def _json_can_carry(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(map(_json_can_carry, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _json_can_carry(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, str))

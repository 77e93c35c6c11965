"""Values of every kind that somebody may send: of all that JSON has, and of some that it has not."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

# Lone surrogates, too: JSON can carry them, and UTF-8 cannot.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=40)
_DIGITS = st.integers(1, 5_000)
# 10**4300 has one digit more than Python converts to a text.
BIG_NUMBERS = st.builds(lambda digits, sign: sign * (10**digits - 1), _DIGITS, st.sampled_from([1, -1]))
NUMBERS = st.one_of(st.integers(), st.integers(-10, 10), BIG_NUMBERS, st.floats(), st.sampled_from([math.nan, -0.0]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
_NO_JSON = st.one_of(
    st.binary(max_size=8),
    st.complex_numbers(),
    st.datetimes(),
    st.decimals(),
    st.sets(st.integers(), max_size=2),
    st.builds(object),
    st.dictionaries(st.one_of(st.integers(), st.floats(), st.none(), st.tuples(st.integers())), SCALARS, max_size=3),
)
ANYTHING = st.recursive(
    st.one_of(SCALARS, _NO_JSON),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.tuples(inner), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def nested(depth: int, shape: str) -> Any:
    """Return lists, or objects, in one another."""
    value: Any = 1
    for _ in range(depth):
        value = [value] if shape == "[" else {"a": value}
    return value


def nested_body(depth: int, shape: str) -> bytes:
    """Return the JSON of lists, or of objects, in one another."""
    opening, closing = (b"[", b"]") if shape == "[" else (b'{"a":', b"}")
    return opening * depth + b"1" + closing * depth


def as_carried(value: Any) -> Any:
    """Return a value as it comes out of JSON: NaN and the infinities are texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: as_carried(item) for key, item in value.items()}
    return [as_carried(item) for item in value] if isinstance(value, list) else value

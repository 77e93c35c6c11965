"""Whatever words stand on the command line, calibrations and lockout keys are."""

from __future__ import annotations

import json
import math
import time
from typing import Any

from hypothesis import strategies as st

from dragonfly.core.codec import encode
from dragonfly.core.exceptions import DriplineInvalidKey, DriplinePayloadError, DriplineValueError
from dragonfly.core.expression import Expression
from dragonfly.core.lockout import checked_force, checked_lease, normalised_key
from dragonfly.core.message import RequestMessage
from dragonfly.subcommands.values import payload_as_typed, payload_from, value_of
from tests.fuzzing.part import part
from tests.fuzzing.values import ANYTHING, SCALARS, TEXTS

MOMENT = 10.0  # s
_PIECES = st.sampled_from(
    [
        *"()[]{},:.=-+~*'\"\\ ",
        "0x" + "f" * 4000,
        "9" * 5000,
        "1e999",
        "1j",
        "None",
        "nan",
        "key=",
        "values=",
        "b'",
        "{1:",
        "[" * 300,
        "-" * 3000,
        "(" * 3000,
        "1_000",
        "0o8",
        "\x00",
        "\udcff",
        "true",
        "'a'",
    ]
)
WORDS = st.one_of(TEXTS, st.lists(_PIECES, max_size=12).map("".join))


@part(st.lists(WORDS, max_size=4), count=400)
def test_any_words_are_a_payload_or_refused(words: list[str]) -> None:
    assert payload_as_typed(words) == {"values": words}
    try:
        payload = payload_from(words)
    except ValueError as err:
        assert "values" in str(err) or "twice" in str(err)
        return
    assert isinstance(payload["values"], list)
    try:
        encode(RequestMessage(0, payload))
    except DriplinePayloadError as err:
        assert "digits" in str(err)


@part(
    st.one_of(
        st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
    )
)
def test_a_value_as_json_writes_it_is_that_value(value: Any) -> None:
    assert value_of(json.dumps(value)) == value


_TOKENS = st.sampled_from(
    [
        "{}",
        "{:.3f}",
        "{:>99}",
        "'{}'",
        '"{}"',
        "int('{}',16)",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "(",
        ")",
        ",",
        " ",
        "9",
        "2",
        "1e308",
        "0.5",
        "sqrt(",
        "math.pi",
        "factorial(",
        "log10(",
        "max(",
        "round(",
        "9" * 900,
        "if",
        "else",
        "and",
        "not",
        "in",
        "==",
        "<",
        ">>",
        "<<",
        "&",
        "|",
        "^",
        "~",
        "lambda",
        "x",
        "__class__",
        ".",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\\",
        "\n",
        "comb(",
        "pow(",
        "gcd(",
        "lcm(",
        "ldexp(",
        "fmod(",
        "isqrt(",
        "'a'",
        "*10**9",
        "exp(",
        "perm(",
        "abs(",
        "int(",
        "float(",
        "'%d'%",
    ]
)
_FORMULA = st.recursive(
    st.sampled_from(["{}", "9", "9**9**9**9", "2", "1e308", "0.5", "-1", "math.pi", "'{}'", "{:.3f}"]),
    lambda inner: st.one_of(
        st.builds(
            "({}{}{})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", ">>", "<", "&"]), inner
        ),
        st.builds(
            "{}({})".format,
            st.sampled_from(
                ["sqrt", "factorial", "exp", "log10", "int", "round", "abs", "isqrt", "float", "comb", "lgamma"]
            ),
            inner,
        ),
        st.builds(
            "{}({},{})".format,
            st.sampled_from(["pow", "comb", "perm", "ldexp", "gcd", "lcm", "round", "max"]),
            inner,
            inner,
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=12,
)
EXPRESSIONS = st.one_of(TEXTS, st.lists(_TOKENS, max_size=15).map("".join), _FORMULA)


@part(st.tuples(EXPRESSIONS, st.one_of(SCALARS, ANYTHING)), count=1_000)
def test_any_calibration_of_any_value_is_a_value_or_refused_in_a_moment(example: tuple[str, Any]) -> None:
    text, raw = example
    began = time.monotonic()
    try:
        value = Expression(text, {})(raw)
    except DriplineValueError as err:
        assert str(err) and len(str(err)) < 3_000
    else:
        assert value is None or isinstance(value, (int, float, str))
        try:
            encode(RequestMessage(0, {"values": [value]}))
        except DriplinePayloadError as err:
            assert "digits" in str(err)
    assert time.monotonic() - began < MOMENT


_DIGITS = "0123456789abcdefABCDEF-"
KEYS = st.one_of(
    ANYTHING,
    st.text(_DIGITS, min_size=28, max_size=40),
    st.uuids().map(str),
    st.uuids().map(lambda uuid: uuid.hex.upper()),
)


@part(KEYS, count=400)
def test_any_lockout_key_is_one_or_refused_without_being_told(key: Any) -> None:
    try:
        digits = normalised_key(key)
    except DriplineInvalidKey as err:
        assert not (isinstance(key, str) and len(key) > 8 and key in str(err))
        return
    assert len(digits) == 32 and int(digits, 16) >= 0
    assert normalised_key(digits) == digits


@part(ANYTHING)
def test_any_lease_and_any_force_is_one_or_refused(value: Any) -> None:
    for check in (checked_lease, checked_force):
        try:
            found = check(value)
        except DriplineValueError as err:
            assert len(str(err)) < 200
        else:
            assert found is None or math.isfinite(found)

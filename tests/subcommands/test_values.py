"""Words to values and payloads."""

import math
import warnings

import pytest

from dragonfly.subcommands.values import payload_as_typed, payload_from, value_of


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("3", 3),
        ("3.0", 3.0),
        ("1e3", 1000.0),
        ("-1e-3", -0.001),
        ("-5", -5),
        ("-.5", -0.5),
        ("0x10", 16),
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("none", None),
        ("Nil", None),
        ("NULL", None),
        ("[1, 'a', None]", [1, "a", None]),
        ("{'a': [1]}", {"a": [1]}),
        ("1,2", (1, 2)),
        ("'007'", "007"),
        ("'a=b'", "a=b"),
        ("''", ""),
    ],
)
def test_a_literal_is_its_value(word, value):
    assert value_of(word) == value
    assert type(value_of(word)) is type(value)


@pytest.mark.parametrize(
    "word",
    [
        "CLOSE",
        "007",
        "",
        "-inf",
        "nan",
        "1e999",
        "[1e999]",
        "1j",
        "b'x'",
        "{1, 2}",
        "{1: 2}",
        "[b'x']",
        "...",
        "__import__('os')",
        "1 +",
        "*IDN?",
        "a\x00b",
        "9" * 5000,
        "(" * 10_000,
        "1 if",
    ],
)
def test_what_json_cannot_carry_stays_text(word):
    assert value_of(word) == word


def test_reading_a_word_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value_of(r"'\d'") == r"\d"
        assert value_of("1is 2") == "1is 2"


def test_keys_become_entries_of_the_payload():
    assert payload_from(["1", "x=2", "on", "name='a b'", "empty=", "a==b"]) == {
        "values": [1, "on"],
        "x": 2,
        "name": "a b",
        "empty": "",
        "a": "=b",
    }


@pytest.mark.parametrize("word", ["1=2", "a b=c", "=x", "a.b=1", "'a=b"])
def test_only_an_identifier_is_a_key(word):
    assert payload_from([word]) == {"values": [word]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["values=3"], "'values' is for the values"), (["x=1", "x=1"], "'x' is given twice")],
)
def test_a_key_is_refused(words, sentence):
    with pytest.raises(ValueError, match=sentence):
        payload_from(words)


def test_send_goes_as_typed():
    assert payload_as_typed(["*IDN?", "007", "x=1", "true"]) == {"values": ["*IDN?", "007", "x=1", "true"]}


def test_a_finite_number_is_a_number():
    assert math.isclose(value_of("1.79"), 1.79)

"""Binding keys match as on a topic exchange."""

import time

import pytest

from dragonfly.subcommands.topic import matcher


@pytest.mark.parametrize(
    ("binding_key", "matching", "others"),
    [
        ("#", ["", "a", "a.b", "a..b"], []),
        ("a", ["a"], ["", "b", "a.b", "A", "ab"]),
        ("a.*", ["a.b", "a."], ["a", "a.b.c", "b.a"]),
        ("*", ["a"], ["", "a.b"]),
        ("a.#", ["a", "a.b", "a.b.c"], ["ab", "b.a"]),
        ("#.b", ["b", "a.b", "a.a.b"], ["b.a", "ab"]),
        ("a.#.c", ["a.c", "a.b.c", "a.b.b.c"], ["a", "a.b"]),
        ("a.*.#", ["a.b", "a.b.c"], ["a"]),
        ("", [""], ["a"]),
        ("a+.(b", ["a+.(b"], ["aa.(b"]),
        ("a.*", ["a.b\nc"], []),
    ],
)
def test_matches(binding_key: str, matching: list[str], others: list[str]) -> None:
    matches = matcher(binding_key)
    assert [key for key in matching if not matches(key)] == []
    assert [key for key in others if matches(key)] == []


def test_many_wildcards_take_no_time() -> None:
    began = time.monotonic()
    assert not matcher("#." * 9 + "x")("a." * 24 + "a")  # some seconds where each way to share the words is tried
    assert time.monotonic() - began < 0.5
    assert not matcher("#." * 50 + "b")("a." * 60 + "a")
    assert matcher("#.a." * 20 + "#")("a." * 60 + "a")
    assert time.monotonic() - began < 1.0

"""Binding keys match as on a topic exchange."""

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

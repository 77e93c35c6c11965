"""Whatever text a key is."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.routing import check_name, checked_key, split
from dragonfly.subcommands.routing_key import check_binding_key, check_length
from dragonfly.subcommands.topic import matcher
from tests.fuzzing.part import part
from tests.fuzzing.values import ANYTHING, TEXTS

WORDS = st.sampled_from(["", "a", "b", "a_b", "a-b", "*", "#", "\n", "µ"])
KEYS = st.one_of(TEXTS, st.lists(WORDS, max_size=12).map(".".join))


@part(KEYS)
def test_any_key_splits_into_target_and_specifier(key: str) -> None:
    target, specifier = split(key)
    assert "." not in target and "-" not in specifier
    assert key in (target, f"{target}.{key[len(target) + 1 :]}")
    assert specifier == key[len(target) + 1 :].replace("-", "_")


@part(st.one_of(KEYS, ANYTHING))
def test_any_name_is_taken_or_refused(name: Any) -> None:
    try:
        check_name(name)
    except DriplineValueError as err:
        assert len(str(err)) < 400 or not isinstance(name, str)
        return
    assert split(name) == (name, "")
    assert checked_key(f"{name}.x")


@part(st.one_of(TEXTS, st.text(max_size=300), st.binary(max_size=300)))
def test_any_key_can_be_sent_or_is_refused(key: Any) -> None:
    try:
        checked_key(key)
    except DriplineValueError:
        return
    assert len(key if isinstance(key, bytes) else key.encode()) <= 255


@part(KEYS)
def test_any_key_of_the_command_line_is_taken_or_refused(key: str) -> None:
    for check in (check_length, check_binding_key):
        try:
            check(key)
        except ValueError as err:
            assert str(err)


def matches(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Say what AMQP 0-9-1 says of topic exchanges, in 3.1.3.3."""

    @cache
    def rest_matches(at: int, word: int) -> bool:
        if at == len(pattern):
            return word == len(words)
        if pattern[at] == "#":
            return rest_matches(at + 1, word) or (word < len(words) and rest_matches(at, word + 1))
        return word < len(words) and pattern[at] in ("*", words[word]) and rest_matches(at + 1, word + 1)

    return rest_matches(0, 0)


FEW = st.sampled_from(["a", "b"])
PATTERNS = st.lists(st.one_of(FEW, st.sampled_from("*#")), min_size=1, max_size=60)


@part(st.tuples(PATTERNS, st.lists(FEW, min_size=1, max_size=100)))
def test_any_binding_key_matches_as_amqp_says_and_in_bounded_time(example: tuple[list[str], list[str]]) -> None:
    pattern, words = example
    assert matcher(".".join(pattern))(".".join(words)) == matches(tuple(pattern), tuple(words))

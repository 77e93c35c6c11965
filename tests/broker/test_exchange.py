import itertools
import random
import re

import pytest

from dragonfly.broker.exchange import TopicExchange, words

# Binding key, routing keys that match, routing keys that do not.
TABLE = [
    ("peaches", ["peaches"], ["", "peachesx", "peache", "peaches.", "peaches.a", ".peaches", "PEACHES"]),
    ("peaches.#", ["peaches", "peaches.a", "peaches.a.b", "peaches."], ["", "peachesx", "peachesx.a", "a.peaches"]),
    ("#", ["", "a", "a.b.c", ".", "..", "#", "*"], []),
    ("*", ["a", "*", "#"], ["", "a.b", "."]),
    ("*.b", ["a.b", ".b", "b.b"], ["b", "a.b.c", "a.c", "a..b", ""]),
    ("#.b", ["b", "a.b", "a.a.b", "b.b", ".b"], ["", "a", "b.a", "a.bb"]),
    ("a.#.b", ["a.b", "a.x.b", "a.x.y.b", "a..b", "a.b.b"], ["a", "b", "ab", "a.b.c", "x.a.b"]),
    ("a.*.b", ["a.x.b", "a..b"], ["a.b", "a.x.y.b"]),
    ("*.#", ["a", "a.b", "a.b.c", "."], [""]),
    ("#.*", ["a", "a.b", "a.b.c", "."], [""]),
    ("#.#", ["", "a", "a.b"], []),
    ("*.*", ["a.b", "."], ["", "a", "a.b.c"]),
    ("#.a.#", ["a", "x.a", "a.x", "x.a.y", "a.a"], ["", "x", "x.y", "aa"]),
    ("a.#.#.b.#", ["a.b", "a.x.b", "a.b.y", "a.x.b.y"], ["a", "b", "a.x"]),
    ("", [""], ["a", ".", "#"]),
    (".", ["."], ["", "a", "..", "a."]),
    ("a..b", ["a..b"], ["a.b", "a.x.b"]),
    ("a.", ["a."], ["a", "a.b"]),
    ("a#", ["a#"], ["a", "ab", "a.b"]),
    ("a*.b", ["a*.b"], ["ax.b", "a.b"]),
]
CASES = [
    pytest.param(pattern, key, expected, id=f"{pattern!r}-{key!r}")
    for pattern, matching, others in TABLE
    for keys, expected in ((matching, True), (others, False))
    for key in keys
]


@pytest.mark.parametrize(("pattern", "key", "expected"), CASES)
def test_a_binding_key_matches_these_routing_keys_only(pattern: str, key: str, expected: bool) -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    exchange.bind("queue", pattern.encode())
    assert exchange.route(key.encode()) == (("queue",) if expected else ())


def as_regex(pattern: bytes) -> "re.Pattern[bytes]":
    """Return what a binding key means, by another way: each word with a dot before it."""
    one, many = rb"\.[^.]*", rb"(?:\.[^.]*)*"
    pieces = [{b"*": one, b"#": many}.get(word, rb"\." + re.escape(word)) for word in words(pattern)]
    return re.compile(b"".join(pieces))


def test_a_thousand_random_bindings_match_as_regular_expressions_do() -> None:
    chance = random.Random(1)
    patterns = [b".".join(chance.choices([b"a", b"b", b"*", b"#", b""], k=chance.randint(1, 5))) for _ in range(1000)]
    exchange: TopicExchange[int] = TopicExchange(b"x")
    for number, pattern in enumerate(patterns):
        exchange.bind(number, pattern)
    regexes = [as_regex(pattern) for pattern in patterns]
    keys = [b".".join(key) for size in range(5) for key in itertools.product([b"a", b"b", b""], repeat=size)]
    for key in keys:
        dotted = b"".join(b"." + word for word in words(key))
        expected = {number for number, regex in enumerate(regexes) if regex.fullmatch(dotted)}
        found = exchange.route(key)
        assert set(found) == expected, key
        assert len(found) == len(expected)


def test_a_queue_that_several_bindings_lead_to_is_named_once() -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    for key in (b"a.b", b"a.*", b"a.#", b"#", b"*.b"):
        exchange.bind("one", key)
    exchange.bind("two", b"a.b")
    assert sorted(exchange.route(b"a.b")) == ["one", "two"]


def test_a_second_binding_with_the_same_key_is_the_first() -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    assert exchange.bind("one", b"a.#")
    assert not exchange.bind("one", b"a.#")
    assert exchange.bindings == 1
    assert exchange.unbind("one", b"a.#")
    assert exchange.route(b"a") == ()


def test_unbinding_leaves_the_other_bindings() -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    for key in (b"a", b"a.b", b"a.b.c", b"#"):
        exchange.bind("one", key)
    exchange.bind("two", b"a.b")
    assert exchange.unbind("one", b"a.b")
    assert exchange.unbind("one", b"#")
    assert [exchange.route(key) for key in (b"a", b"a.b", b"a.b.c", b"x")] == [("one",), ("two",), ("one",), ()]


@pytest.mark.parametrize("key", [b"", b"b", b"a.b.c", b"a"])
def test_what_is_not_bound_cannot_be_unbound(key: bytes) -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    exchange.bind("one", b"a.b")
    assert not exchange.unbind("one", key)
    assert not exchange.unbind("two", b"a.b")
    assert exchange.bindings == 1


def test_ten_thousand_bindings_that_come_and_go_leave_nothing() -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    keys = [f"endpoint_{number}.#".encode() for number in range(10_000)]
    for key in keys:
        exchange.bind("queue", key)
    assert exchange.route(b"endpoint_7.x") == ("queue",)
    for key in keys:
        exchange.unbind("queue", key)
    assert exchange.bindings == 0
    assert not exchange._root.branches


def test_a_key_of_many_words_meets_many_wildcards_at_no_great_cost() -> None:
    exchange: TopicExchange[str] = TopicExchange(b"x")
    exchange.bind("queue", b".".join([b"#", b"*"] * 60))
    assert exchange.route(b"." * 120) == ("queue",)
    assert exchange.route(b"." * 50) == ()

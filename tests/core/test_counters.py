"""Counting on many threads."""

import threading

import pytest

from dragonfly.core.counters import Counters


def test_all_counters_begin_at_0_and_keep_their_order() -> None:
    counters = Counters("b", "a")
    assert list(counters.values().items()) == [("b", 0), ("a", 0)]


def test_each_counts_for_itself() -> None:
    counters = Counters("a", "b")
    counters.add("a")
    counters.add("a", 4)
    assert counters.values() == {"a": 5, "b": 0}


def test_what_was_read_is_no_way_to_change_a_counter() -> None:
    counters = Counters("a")
    counters.values()["a"] = 7
    assert counters.values() == {"a": 0}


def test_a_counter_that_is_none_is_an_error() -> None:
    with pytest.raises(KeyError):
        Counters("a").add("b")


def test_no_count_is_lost_between_threads() -> None:
    counters = Counters("a")
    threads = [threading.Thread(target=lambda: [counters.add("a") for _ in range(5000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.values() == {"a": 20_000}

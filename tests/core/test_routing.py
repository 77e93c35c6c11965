"""Routing keys and names."""

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.routing import check_name, split


@pytest.mark.parametrize(
    ("routing_key", "target", "specifier"),
    [
        ("peaches", "peaches", ""),
        ("peaches.log_interval", "peaches", "log_interval"),
        ("peaches.log-interval", "peaches", "log_interval"),
        ("my-store.log-on-set", "my-store", "log_on_set"),
        ("peaches.a.b-c", "peaches", "a.b_c"),
        ("peaches.__class__", "peaches", "__class__"),
        ("peaches.", "peaches", ""),
        (".ping", "", "ping"),
        ("", "", ""),
        (".", "", ""),
        ("peaches..", "peaches", "."),
        ("broadcast.ping", "broadcast", "ping"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}.x", "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "x"),
        ("\\xff\\xfe.x", "\\xff\\xfe", "x"),
        ("a" * 255, "a" * 255, ""),
    ],
)
def test_a_key_is_target_and_specifier(routing_key: str, target: str, specifier: str) -> None:
    assert split(routing_key) == (target, specifier)


@pytest.mark.parametrize(
    "name",
    ["peaches", "p", "0", "Cernox_77-K", "_x", "-", "a" * 200, "Broadcast", "broadcasts", "my_request_reply"],
)
def test_a_legal_name_comes_back_and_addresses_itself(name: str) -> None:
    assert check_name(name) == name
    assert split(f"{name}.ping") == (name, "ping")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (None, "must be a text, not None"),
        (True, "must be a text, not True"),
        (5, "must be a text, not 5"),
        (1.5, "must be a text"),
        (["peaches"], "must be a text"),
        (b"peaches", "must be a text"),
        ("", "is no legal name"),
        (" ", "is no legal name"),
        ("two words", "is no legal name"),
        ("peaches\n", "is no legal name"),
        ("peaches.log", "is no legal name"),
        ("#", "is no legal name"),
        ("*", "is no legal name"),
        ("a/b", "is no legal name"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "is no legal name"),
        ("\N{ARABIC-INDIC DIGIT THREE}", "is no legal name"),
        ("a" * 201, "1 to 200"),
        ("broadcast", "is a reserved name"),
        ("request_reply", "is a reserved name"),
        ("request_reply_of_mine", "is a reserved name"),
    ],
)
def test_an_illegal_name_is_refused_with_the_reason(name: Any, why: str) -> None:
    with pytest.raises(DriplineValueError, match=why):
        check_name(name)


def test_the_reason_does_not_repeat_a_name_of_any_length() -> None:
    with pytest.raises(DriplineValueError) as caught:
        check_name("x" * 100_000)
    assert len(str(caught.value)) < 200

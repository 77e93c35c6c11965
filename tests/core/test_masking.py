"""What of a message stands in a log, and what does not."""

import json
import time
from typing import Any

import pytest

from dragonfly.core.masking import (
    is_secret,
    masked,
    masked_fields,
    masked_payload,
    masked_text,
    may_hold_secret,
    printable,
)

KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("key", "KEY", "lockout_key", "lockout-key", "Lockout_Key", "apikey", "api-key")),
        *((name, True) for name in ("password", "passwords", "db_password", "passwd", "pwd", "passphrase")),
        *((name, True) for name in ("token", "auth-token", "tokens", "secret", "client_secret", "credentials")),
        *((name, False) for name in ("", "value", "values", "keys", "keyboard", "tokenizer", "check_field")),
        *((name, False) for name in ("routing_key", "alert_routing_key", "alert-routing-key", "binding_key")),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, secret: bool) -> None:
    assert is_secret(name) is secret


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, 5),
        (KEY, KEY),
        ({"key": KEY}, {"key": "***"}),
        ({"lockout-key": KEY, "key": KEY}, {"lockout-key": "***", "key": "***"}),
        ({"a": {"b": [{"password": {"c": 1}}, 2]}}, {"a": {"b": [{"password": "***"}, 2]}}),
        ({"token": None, "x": (1, {"secret": 2})}, {"token": "***", "x": [1, {"secret": "***"}]}),
        ({1: 2}, {1: 2}),
    ],
)
def test_secrets_are_masked_at_any_depth_and_the_value_itself_stays(value: Any, shown: Any) -> None:
    before = repr(value)
    assert masked(value) == shown
    assert repr(value) == before


@pytest.mark.parametrize(
    ("target", "values", "shown"),
    [
        ("peaches", [5], [5]),
        ("peaches", ["password"], ["password"]),
        ("peaches", ["password", "hush"], ["password", "***"]),
        ("peaches", ["unit", "password"], ["unit", "password"]),
        ("peaches.password", ["hush"], ["***"]),
        ("peaches.api-key", ["hush", "more"], ["***", "***"]),
        ("peaches.alert_routing_key", ["sensor_value"], ["sensor_value"]),
        ("peaches.alert-routing-key", ["sensor_value"], ["sensor_value"]),
        ("peaches.lock", [KEY], ["***"]),
        ("peaches.unlock", [KEY], ["***"]),
        ("peaches", ["unlock", KEY], ["unlock", "***"]),
        ("peaches", [5, KEY], [5, KEY]),
        ("peaches", [], []),
    ],
)
def test_a_value_for_an_attribute_that_is_a_secret_is_masked(target: str, values: list[Any], shown: list[Any]) -> None:
    payload = {"values": values, "x": 1}
    assert masked_payload(target, payload) == {"values": shown, "x": 1}
    assert payload["values"] == values


@pytest.mark.parametrize("payload", [None, 5, "x", [1], {}, {"values": None}, {"values": 5}, {"values": {"a": 1}}])
def test_a_payload_of_another_form_stays(payload: Any) -> None:
    assert masked_payload("peaches.password", payload) == payload


@pytest.mark.parametrize(
    ("target", "fields", "shown"),
    [
        (
            "peaches.password",
            {"payload": {"values": ["hush"]}, "msgop": 0},
            {"payload": {"values": ["***"]}, "msgop": 0},
        ),
        ("peaches", {"lockout_key": KEY, "payload": [1], "x": {"token": 1}}, {"lockout_key": "***", "payload": [1]}),
        ("peaches", {"sender_info": {"exe": "e"}}, {"sender_info": {"exe": "e"}}),
    ],
)
def test_the_fields_of_a_message_keep_their_order(target: str, fields: Any, shown: Any) -> None:
    result = masked_fields(target, fields)
    assert list(result) == list(fields)
    assert result == {**shown, **({"x": {"token": "***"}} if "x" in fields else {})}


@pytest.mark.parametrize(
    "name",
    [
        *("lockout-key", "KEY", "password", "passwd", "passphrase", "pwd", "token", "secret", "credentials"),
        *("lock", "unlock"),
    ],
)
def test_where_there_may_be_a_secret_is_found_by_its_name(name: str) -> None:
    assert is_secret(name) or name in ("lock", "unlock")
    assert may_hold_secret(f"peaches.{name}", b'{"payload": {"values": [1]}}')
    assert may_hold_secret("peaches", json.dumps({"payload": {"values": [name, 1]}}).encode())
    assert may_hold_secret("peaches", b'{"\\u006bey": 1}')
    assert not may_hold_secret("sensor_value.peaches", b'{"payload": {"value_raw": 1.5}}')


def test_a_message_is_shown_as_it_came_but_for_its_secrets() -> None:
    fields = {"msgtype": 3, "payload": {"values": [1.5, "é"], "key": KEY}, "lockout_key": KEY, "extra": {"token": "t"}}
    shown = masked_text("peaches", json.dumps(fields).encode())
    assert shown == (
        '{"msgtype": 3, "payload": {"values": [1.5, "\\u00e9"], "key": "***"}, "lockout_key": "***", '
        '"extra": {"token": "***"}}'
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b"not json", "not json"),
        (b"[1, 2]", "[1, 2]"),
        (b'{"lockout_key": "abc", "x": 1', '{"lockout_key": ***, "x": 1'),
        (b'{"key": "a \\"b", "x": 1', '{"key": ***, "x": 1'),
        (b"password=hush token: 'a b' x=1", "password=*** token: *** x=1"),
        (b'{"password": ["a", "b"]', '{"password": ***'),
        (b'"lockout-key": "cut of', '"lockout-key": ***'),
        (b"routing_key=a routing-key: b", "routing_key=a routing-key: b"),
        (b"two\nlines \x1b[31m \xff", "two\\nlines \\x1b[31m \\xff"),
    ],
)
def test_what_is_no_json_is_one_line_without_secrets(body: bytes, shown: str) -> None:
    assert masked_text("peaches", body) == shown


@pytest.mark.parametrize(
    "body", [b"a" * 2_000_000, b"key" * 700_000, b"key=" * 500_000, b'"key": "' + b"\\" * 1_000_000, b"[" * 500_000]
)
def test_a_hostile_body_takes_no_longer_than_its_size_needs(body: bytes) -> None:
    began = time.monotonic()
    masked_text("peaches", body)
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alice", "alice"),
        ("André", "André"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\ud800", "\\ud800"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}", "\\u202e"),
        ("x" * 100, "x" * 80),
        (5, "5"),
    ],
)
def test_what_would_not_show_on_a_line_is_escaped(text: Any, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_set_on_an_endpoint_whose_name_is_that_of_a_secret_is_masked() -> None:
    assert masked_payload("aud_password", {"values": ["open sesame"]}) == {"values": ["***"]}
    assert masked_payload("aud_password.unit", {"values": ["K"]}) == {"values": ["K"]}


def test_of_what_is_larger_than_any_message_only_the_size_is_shown() -> None:
    assert masked_text("peaches", b"[" * (16 * 1024 * 1024 + 1)) == "16777217 bytes, which are too many to show"

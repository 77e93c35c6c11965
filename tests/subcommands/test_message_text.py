"""Messages as text: the order of the fields, and the secret in them."""

import json

import pytest

from dragonfly.core.codec import decode
from dragonfly.core.message import AlertMessage, ReplyMessage, RequestMessage
from dragonfly.subcommands.message_text import indented, one_line, shown_fields, shown_payload, undecoded

SENDER = {
    "commit": "g1",
    "version": "v1",
    "hostname": "h",
    "package": "dripline",
    "exe": "e",
    "username": "u",
}
SENDER_ORDER = ["username", "exe", "package", "hostname", "version", "commit"]


@pytest.mark.parametrize(
    ("message", "order"),
    [
        (RequestMessage(1, {"values": []}), ["timestamp", "sender_info", "payload", "msgop"]),
        (
            RequestMessage(0, {"values": []}, lockout_key="ab", extra={"new": 1}),
            ["timestamp", "sender_info", "payload", "msgop", "lockout_key", "new"],
        ),
        (ReplyMessage(1), ["timestamp", "sender_info", "retcode", "return_msg", "payload"]),
        (AlertMessage(1, extra={"a": 1}), ["timestamp", "sender_info", "payload", "a"]),
    ],
)
def test_the_order_is_the_tutorials(message, order):
    assert list(shown_fields(message, "peaches")) == order


def test_the_order_is_ours_whatever_the_peer_sent():
    body = {"zzz": 1, "payload": 2, "msgtype": 4, "sender_info": {**SENDER, "service_name": "s", "age": 3}}
    fields = shown_fields(decode(json.dumps(body).encode(), "application/json"), "peaches")
    assert list(fields) == ["timestamp", "sender_info", "payload", "zzz"]
    assert list(fields["sender_info"]) == [*SENDER_ORDER, "service_name", "age"]


def test_a_lockout_key_is_never_shown():
    assert shown_fields(RequestMessage(0, lockout_key="secret"), "peaches")["lockout_key"] == "***"
    assert shown_fields(AlertMessage(0, extra={"lockout_key": "secret"}), "peaches")["lockout_key"] == "***"
    assert undecoded(b'{"lockout_key": "sec\\"ret", "x": 1}', "peaches") == '{"lockout_key": "***", "x": 1}'
    assert undecoded(b'{"lockout_key":secret, "x": 1}', "peaches") == '{"lockout_key":***, "x": 1}'


LOCKED = {"lockout-key": "secret", "key": "secret"}


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (LOCKED, {"lockout-key": "***", "key": "***"}),
        ({"lockout_key": "secret", "lease": 60, "values": []}, {"lockout_key": "***", "lease": 60, "values": []}),
        ({"lockout-key": "secret", "values": [1]}, {"lockout-key": "***", "values": [1]}),
        ({"Lockout-Key": "secret"}, {"Lockout-Key": "***"}),
        (
            {"values": [LOCKED, {"a": LOCKED}]},
            {"values": [dict.fromkeys(LOCKED, "***"), {"a": dict.fromkeys(LOCKED, "***")}]},
        ),
        ({"key": 1, "x": LOCKED}, {"key": "***", "x": {"lockout-key": "***", "key": "***"}}),
        ({"password": "secret", "x": {"token": "secret"}}, {"password": "***", "x": {"token": "***"}}),
        (
            {"lockout_keys": 1, "key_lockout": 2, "routing_key": 3},
            {"lockout_keys": 1, "key_lockout": 2, "routing_key": 3},
        ),
    ],
)
def test_a_key_in_the_payload_is_not_shown_either(payload, shown):
    before = json.dumps(payload)
    for message in (ReplyMessage(payload), RequestMessage(9, payload), AlertMessage(payload)):
        assert shown_fields(message, "peaches")["payload"] == shown
        assert shown_payload(message, "peaches") == shown
    assert json.dumps(payload) == before


@pytest.mark.parametrize(
    ("target", "values", "shown"),
    [
        ("peaches.password", ["secret"], ["***"]),
        ("peaches", ["password", "secret"], ["password", "***"]),
        ("peaches.unlock", ["secret"], ["***"]),
        ("peaches", ["unlock", "secret"], ["unlock", "***"]),
        ("peaches", ["log_interval", 5], ["log_interval", 5]),
    ],
)
def test_what_a_request_sets_or_opens_is_known_by_its_target(target, values, shown):
    request = RequestMessage(0, {"values": values})
    assert shown_fields(request, target)["payload"] == shown_payload(request, target) == {"values": shown}
    assert shown_payload(request, target, masked=False) == {"values": values}


@pytest.mark.parametrize(
    "body",
    [
        b'{"payload": {"lockout-key": "secret", "key": "secret"}',
        b'{"payload": {"key": "secret", "lockout-key": "secret"}',
        b"{'payload': {'lockout_key': 'secret', 'key': 'secret'}}",
        b'{"lockout_key": "secret',
        b'{"lockout-key": "sec\\"ret", "key":"se\nret"}',
        b"lockout_key=secret",
        b'{"Lockout_Key": "secret"}',
    ],
)
def test_no_key_is_shown_where_the_body_is_no_message(body):
    shown = undecoded(body, "peaches")
    assert "***" in shown
    assert "ret" not in shown.replace("payload", "")


def test_a_message_that_only_its_envelope_spoils_has_its_secrets_masked_by_their_target():
    body = b'{"payload": {"values": ["unlock", "secret"]}}'
    assert undecoded(body, "peaches") == '{"payload": {"values": ["unlock", "***"]}}'
    assert undecoded(body, "peaches", masked=False) == body.decode()


def test_the_message_itself_stays_as_it_is():
    message = RequestMessage(0, lockout_key="secret", sender_info=dict(SENDER))
    shown_fields(message, "peaches")
    assert message.lockout_key == "secret"
    assert list(message.sender_info) == list(SENDER)


@pytest.mark.parametrize("columns", [2, 4])
@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "",
        'µ\n"\\\u2028\x00\x7f\udc80',
        [1, 1.5, 1e300, -0.0, 10**30, True, False, None],
        {"a": {}, "b": [], "c": [[], {}, [1, {"d": ["e"]}]], "": {"µ\t": None}},
    ],
)
def test_indented_text_is_that_of_the_json_module(value, columns):
    assert indented(value, columns) == json.dumps(value, indent=columns, ensure_ascii=False)


def test_people_see_letters_and_programs_see_ascii():
    assert indented({"unit": "µm"}, 4) == '{\n    "unit": "µm"\n}'
    assert one_line({"unit": "µm\udc80"}) == '{"unit": "\\u00b5m\\udc80"}'


def test_bytes_that_are_no_text_are_shown_with_backslashes():
    assert undecoded(b"\xff\x00a", "peaches") == "\\xff\x00a"

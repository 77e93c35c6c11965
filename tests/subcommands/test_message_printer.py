"""What the monitor prints: blocks for people, lines for programs, and lockout keys in neither."""

import json
import re

import pytest

from dragonfly.cli import main
from dragonfly.core.codec import encode
from dragonfly.core.message import AlertMessage, ReplyMessage, RequestMessage
from tests.subcommands.fake_listener import REQUEST, delivery

HEAD = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\[Level 35\] dragonfly\.subcommands\.message_monitor\(\d+\) -> "


def test_a_block_is_the_tutorials(fake_listener, capsys):
    fake_listener.deliveries = [REQUEST]
    assert main(["monitor", "-e", "requests"]) == 0
    out = capsys.readouterr().out
    head, app, block = out.split("\n", 2)
    assert re.fullmatch(HEAD, head)
    assert app == "dripline.core.Service [peaches]     (From App [routing_key])"
    assert (
        block
        == """{
    "timestamp": "2015-12-05T01:25:03Z",
    "sender_info": {
        "username": "u",
        "exe": "e",
        "package": "dripline",
        "hostname": "h",
        "version": "v",
        "commit": "g"
    },
    "payload": {
        "values": []
    },
    "msgop": 1
}
"""
    )


def test_po_keeps_the_head_and_shows_the_payload_alone(fake_listener, capsys):
    fake_listener.deliveries = [REQUEST]
    main(["monitor", "-po"])
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(HEAD, lines[0])
    assert lines[1:] == [
        "dripline.core.Service [peaches]     (From App [routing_key])",
        "{",
        '  "values": []',
        "}",
    ]


def test_what_cannot_be_decoded_is_shown_as_text_and_it_goes_on(fake_listener, capsys):
    fake_listener.deliveries = [
        delivery(b"\x81\xa7hello", app_id=None),
        delivery(b"{}", content_encoding=None),
        delivery(b""),
        REQUEST,
    ]
    assert main(["monitor"]) == 0
    blocks = re.split(HEAD + "\n", capsys.readouterr().out)[1:]
    assert blocks[0].splitlines()[0] == "unknown [peaches]     (From App [routing_key])"
    assert re.search(r"cannot be decoded: .*not UTF-8.*\n\\x81\\xa7hello\n$", blocks[0])
    assert re.search(r"cannot be decoded: .*content_encoding.*\n\{\}\n$", blocks[1])
    assert "cannot be decoded" in blocks[2]
    assert '"msgop": 1' in blocks[3]


def test_json_is_one_object_a_line(fake_listener, capsys):
    secret = encode(RequestMessage(0, lockout_key="secret"))
    fake_listener.deliveries = [
        delivery(encode(AlertMessage("µ")), "sensor_value.peaches", exchange="alerts", app_id=None),
        delivery(secret),
        delivery(b"\xff"),
    ]
    assert main(["monitor", "--json"]) == 0
    alert, request, broken = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(alert) == ["exchange", "routing_key", "app_id", "message"]
    assert (alert["exchange"], alert["routing_key"], alert["app_id"]) == (
        "alerts",
        "sensor_value.peaches",
        None,
    )
    assert list(alert["message"]) == ["timestamp", "sender_info", "payload"]
    assert alert["message"]["payload"] == "µ"
    assert request["message"]["lockout_key"] == "***"
    assert (broken["message"], broken["body"]) == (None, "\\xff")
    assert "not UTF-8" in broken["reason"]


def test_json_with_po_has_the_payload_for_a_message(fake_listener, capsys):
    fake_listener.deliveries = [REQUEST]
    main(["monitor", "--json", "-po"])
    assert json.loads(capsys.readouterr().out)["message"] == {"values": []}


@pytest.mark.parametrize("options", [[], ["-po"], ["--json"], ["--json", "-po"]])
def test_no_lockout_key_is_shown_in_any_form(options, fake_listener, capsys):
    locked = encode(ReplyMessage({"lockout-key": "secret", "key": "secret"}))
    asked = encode(RequestMessage(9, {"values": [], "lockout-key": "secret"}, lockout_key="secret"))
    fake_listener.deliveries = [
        delivery(locked, "request_reply1"),
        delivery(asked, "peaches.lock"),
        delivery(locked, content_encoding="text/plain"),
        delivery(asked[:-2]),
    ]
    assert main(["monitor", "-e", "requests", *options]) == 0
    out = capsys.readouterr().out
    assert out.count("***") >= 6
    assert "secret" not in out


def test_show_keys_shows_them_in_every_form(fake_listener, capsys):
    locked = encode(ReplyMessage({"lockout-key": "secret", "key": "secret"}))
    fake_listener.deliveries = [delivery(locked), delivery(locked[:-2])]
    for options in ([], ["-po"], ["--json"], ["--json", "-po"]):
        assert main(["monitor", "--show-keys", *options]) == 0
        out = capsys.readouterr().out
        assert "***" not in out
        assert out.count("secret") == 4


@pytest.mark.parametrize("options", [[], ["-po"], ["--json"], ["--json", "-po"]])
@pytest.mark.parametrize(
    ("target", "values"),
    [
        ("peaches.password", ["hunter2"]),
        ("peaches", ["password", "hunter2"]),
        ("peaches.unlock", ["hunter2"]),
        ("peaches", ["unlock", "hunter2"]),
        ("aud_token", ["hunter2"]),
    ],
)
def test_what_is_a_secret_for_the_audit_log_is_one_for_the_monitor(target, values, options, fake_listener, capsys):
    fake_listener.deliveries = [delivery(encode(RequestMessage(9, {"values": values})), target)]
    main(["monitor", "-e", "requests", *options])
    out = capsys.readouterr().out
    assert "***" in out
    assert "hunter2" not in out
    main(["monitor", "-e", "requests", "--show-keys", *options])
    assert "hunter2" in capsys.readouterr().out


def test_a_lockout_key_whose_name_is_written_by_numbers_is_masked(fake_listener, capsys):
    body = encode(RequestMessage(1, lockout_key="secret")).replace(b"lockout_key", rb"\u006coc\u006bout_key")
    fake_listener.deliveries = [delivery(body)]
    main(["monitor"])
    assert "secret" not in capsys.readouterr().out


def test_what_controls_a_terminal_is_made_visible(fake_listener, capsys):
    fake_listener.deliveries = [delivery(encode(AlertMessage("\x9b31m\x7f")), "a\x1b[2J", app_id="b\x07")]
    main(["monitor"])
    out = capsys.readouterr().out
    assert "b\\x07 [a\\x1b[2J]     (From App" in out
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in out.replace("\n", ""))


@pytest.mark.parametrize("options", [[], ["--json"], ["--show-keys"]])
def test_of_what_is_too_large_the_beginning_is_shown(fake_listener, capsys, options):
    fake_listener.deliveries = [delivery(b"[" * (16 * 1024 * 1024 + 1)), REQUEST]
    assert main(["monitor", *options]) == 0
    out = capsys.readouterr().out
    assert "the message has 16777217 bytes, and at most 16777216 are read" in out
    assert "[[[... and 16677217 bytes more" in out
    assert len(out) < 110_000
    assert '"msgop": 1' in out

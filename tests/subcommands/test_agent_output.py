"""get, set, cmd: what is printed of a reply, for people and for programs."""

import json
import re
import sys

import pytest

from dragonfly.cli import main
from dragonfly.core.message import ReplyMessage
from tests.subcommands.fake_interface import KEY, PEACHES


@pytest.mark.parametrize(
    ("line", "reply", "printed", "status"),
    [
        ("get peaches", ReplyMessage(PEACHES), "peaches(ret:0): {'value_cal': 1.5, 'value_raw': '0.75'}", 0),
        ("get peaches.log_interval", ReplyMessage(30), "peaches.log_interval(ret:0): {'values': [30]}", 0),
        ("set chips 1.79 -b", ReplyMessage(PEACHES), f"chips->1.79(ret:0): {PEACHES}", 0),
        ("set -b -- x 1 a=2", ReplyMessage(1), "x->1->a=2(ret:0): {'values': [1]}", 0),
        ("get x", ReplyMessage(1, retcode=1), "x(ret:1): {'values': [1]}", 0),
        ("get x", ReplyMessage(1, retcode=99), "x(ret:99): {'values': [1]}", 0),
        (
            "get plums",
            ReplyMessage("message not deliverable", retcode=102),
            "plums(ret:102): {'values': ['message not deliverable']}",
            1,
        ),
        ("get x", ReplyMessage(None, retcode=12345), "x(ret:12345): {'values': [None]}", 1),
    ],
)
def test_the_answer_is_one_line(line, reply, printed, status, fake_mesh, capsys):
    fake_mesh.answer = reply
    assert main(line.split()) == status
    assert capsys.readouterr() == (f"{printed}\n", "")


def test_a_text_in_the_reply_is_a_log_line(fake_mesh, capsys):
    fake_mesh.answer = ReplyMessage(None, return_msg="operation completed silently")
    assert main(["set", "waffles", "4.5"]) == 0
    out, err = capsys.readouterr()
    assert out == "waffles->4.5(ret:0): {'values': [None]}\n"
    assert re.fullmatch(
        r"\S+\[Level 25\] dragonfly\.subcommands\.agent\(\d+\) -> "
        r"return message: operation completed silently\n",
        err,
    )


def test_who_locks_sees_the_key_in_the_reply_and_nobody_in_the_log(fake_mesh, capsys):
    payload = {"lockout-key": KEY, "key": KEY}
    fake_mesh.answer = ReplyMessage(payload)
    assert main(["cmd", "peaches.lock", "-v"]) == 0
    out, err = capsys.readouterr()
    assert out == f"peaches.lock(ret:0): {payload}\n"
    assert "response:" in err
    assert KEY not in err
    assert main(["cmd", "peaches.lock", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["payload"] == payload


def test_v_shows_the_whole_reply_in_the_tutorials_order(fake_mesh, capsys):
    fake_mesh.answer = ReplyMessage(PEACHES, timestamp="2015-12-05T01:25:03Z", sender_info={"x": 1, "exe": "e"})
    main(["get", "peaches", "-v"])
    _, _, text = capsys.readouterr().err.partition("-> response:\n")
    assert list(json.loads(text)) == ["timestamp", "sender_info", "retcode", "return_msg", "payload"]
    assert text.startswith('{\n    "timestamp": "2015-12-05T01:25:03Z"')


def test_pretty_print(fake_mesh, capsys):
    main(["get", "peaches", "--pretty-print"])
    out, err = capsys.readouterr()
    assert out == f"peaches(ret:0): {PEACHES}\n\n1.5\n\n"
    assert err == ""
    fake_mesh.answer = ReplyMessage(30)
    main(["get", "peaches", "--pretty-print"])
    out, err = capsys.readouterr()
    assert out == "peaches(ret:0): {'values': [30]}\n"
    assert err.endswith("-> no value cal present, unable to pretty-print\n")


def test_json_is_one_object_a_line(fake_mesh, capsys):
    fake_mesh.answer = ReplyMessage(
        {"value_cal": "µ\udc80"},
        retcode=1,
        return_msg="x",
        timestamp="t",
        sender_info={"service_name": "my_store"},
    )
    assert main(["get", "peaches", "--json", "--pretty-print"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {
        "target": "peaches",
        "service": "my_store",
        "retcode": 1,
        "return_msg": "x",
        "payload": {"value_cal": "µ\udc80"},
        "timestamp": "t",
    }


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "retcode", "red"),
    [(True, "", 304, True), (True, "", 99, False), (True, "1", 304, False), (False, "", 304, False)],
)
def test_only_an_error_on_a_terminal_is_red(is_terminal, no_color, retcode, red, fake_mesh, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    fake_mesh.answer = ReplyMessage(1, retcode=retcode)
    main(["get", "x"])
    line = f"x(ret:{retcode}): {{'values': [1]}}"
    assert capsys.readouterr().out == (f"\x1b[91m{line}\x1b[0m\n" if red else f"{line}\n")

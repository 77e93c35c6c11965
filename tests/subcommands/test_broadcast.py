"""Broadcasts: what is asked before one is sent, and what is printed of its replies."""

import io
import json
import re
import sys

import pytest

from dragonfly.cli import main
from dragonfly.core.constants import OP_SET
from dragonfly.core.message import ReplyMessage

QUESTION = "You are about to send a broadcast to all services, are you sure?[y/n] "


class Terminal(io.StringIO):
    """A terminal on which somebody has typed something; None is Ctrl-C."""

    def __init__(self, typed):
        super().__init__(typed or "")
        self.typed = typed

    def isatty(self):
        return True

    def readline(self):
        if self.typed is None:
            raise KeyboardInterrupt
        return super().readline()


def test_a_broadcast_has_a_line_for_each_reply(fake_mesh, capsys):
    sender = {"service_name": "my_store"}
    fake_mesh.answer = [ReplyMessage(None, sender_info=sender), ReplyMessage(1, sender_info={}, retcode=300)]
    assert main(["cmd", "broadcast.ping"]) == 1
    assert fake_mesh.asked[:2] == ("request_all", "broadcast.ping")
    assert capsys.readouterr().out.splitlines() == [
        "broadcast.ping(ret:0): [my_store]-> {'values': [None]}",
        "broadcast.ping(ret:300): {'values': [1]}",
    ]


def test_a_broadcast_that_nobody_answers(fake_mesh, capsys):
    fake_mesh.answer = []
    assert main(["cmd", "broadcast.ping", "--timeout", "0.5"]) == 4
    assert "no service answered broadcast.ping within 0.5 s" in capsys.readouterr().err


def test_a_broadcast_in_json_is_one_object_a_line_too(fake_mesh, capsys):
    fake_mesh.answer = [ReplyMessage(number, sender_info={"service_name": f"store{number}"}) for number in range(3)]
    assert main(["get", "broadcast.x", "--yes", "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(reply["target"], reply["service"], reply["payload"]) for reply in shown] == [
        ("broadcast.x", f"store{number}", {"values": [number]}) for number in range(3)
    ]


@pytest.mark.parametrize(("options", "expected"), [([], 0.5), (["--quiet-time", "2"], 2.0)])
def test_a_broadcast_ends_a_quiet_time_after_the_last_reply(options, expected, fake_mesh):
    fake_mesh.answer = [ReplyMessage(1)]
    assert main(["cmd", "broadcast.ping", *options]) == 0
    assert fake_mesh.asked[-1] == expected


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon"])
def test_a_quiet_time_is_a_time(text, fake_mesh, capsys):
    assert main(["cmd", "broadcast.ping", f"--quiet-time={text}"]) == 2
    assert fake_mesh.asked is None
    assert f"not '{text}'" in capsys.readouterr().err


def at_a_terminal(monkeypatch, typed):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


@pytest.mark.parametrize(
    "words",
    [
        ["cmd", "broadcast.ping"],
        ["cmd", "broadcast.lock"],
        ["cmd", "broadcast.unlock"],
        ["cmd", "broadcast.set_condition", "10"],
        ["cmd", "broadcast.set-condition", "10"],
        ["cmd", "broadcast", "ping"],
        ["cmd", "broadcast", "set-condition", "10"],
    ],
)
def test_what_is_broadcast_every_day_is_not_asked_about(words, fake_mesh, capsys, monkeypatch):
    fake_mesh.answer = [ReplyMessage(1)]
    monkeypatch.setattr(sys, "stdin", None)
    assert main(words) == 0
    assert fake_mesh.asked[0] == "request_all"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("typed", ["y\n", "Y\n", " yes \n", "y"])
def test_another_broadcast_is_sent_when_the_person_says_y(typed, fake_mesh, capsys, monkeypatch):
    fake_mesh.answer = [ReplyMessage(1)]
    at_a_terminal(monkeypatch, typed)
    assert main(["set", "broadcast.log_interval", "10"]) == 0
    assert fake_mesh.asked[:3] == ("request_all", "broadcast.log_interval", OP_SET)
    out, err = capsys.readouterr()
    assert out == "broadcast.log_interval->10(ret:0): {'values': [1]}\n"
    assert err.rstrip("\n") == QUESTION


@pytest.mark.parametrize("typed", ["n\n", "\n", "no\n", "yess\n", "", None])
@pytest.mark.parametrize("words", [["set", "broadcast.log_interval", "10"], ["get", "broadcast"], ["run", "broadcast"]])
def test_any_other_answer_sends_nothing_and_says_so_and_is_no_success(words, typed, fake_mesh, capsys, monkeypatch):
    at_a_terminal(monkeypatch, typed)
    assert main(words) == 130
    assert fake_mesh.asked is None
    out, err = capsys.readouterr()
    assert out == ""
    question, _, said = err.partition("[y/n] ")
    assert f"{question}[y/n] " == QUESTION
    assert re.fullmatch(r"\n?\S+\[WARNING \] dragonfly\.subcommands\.broadcast\(\d+\) -> nothing was sent\n", said)


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\n")])
def test_without_a_terminal_a_broadcast_needs_yes(stdin, fake_mesh, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["get", "broadcast.log_interval"]) == 2
    assert fake_mesh.asked is None
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "--yes sends it without asking" in err
    fake_mesh.answer = [ReplyMessage(1)]
    assert main(["get", "broadcast.log_interval", "--yes"]) == 0
    assert capsys.readouterr().err == ""


def test_the_words_of_a_send_are_no_specifier(fake_mesh, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["send", "broadcast", "ping"]) == 2
    assert fake_mesh.asked is None

"""get, set, config, run, cmd, send: what is asked, what is printed, and the exit status."""

import io
import json
import re
import socket
import sys

import pytest

from dragonfly.cli import main
from dragonfly.core import interface
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPError,
    DriplineDecodingError,
    DriplinePayloadError,
    DriplineTimeoutError,
    DriplineValueError,
)
from dragonfly.core.message import ReplyMessage

PEACHES = {"value_cal": 1.5, "value_raw": "0.75"}
KEY = "0123456789abcdef0123456789abcdef"
WRITTEN_KEY = "01234567-89AB-CDEF-0123-456789ABCDEF"
QUESTION = "You are about to send a broadcast to all services, are you sure?[y/n] "


class FakeInterface:
    """Answers with what the test has put into `answer`, and notes what it was asked."""

    answer = None
    asked = None
    made = None

    def __init__(self, broker=None, name=None, confirm_retcodes=True, timeout=10.0):
        FakeInterface.made = (broker, name, confirm_retcodes, timeout)
        if broker == "nonsense":
            raise DriplineValueError("'nonsense' is no address of a broker")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def request(self, routing_key, msgop, payload, timeout=None, lockout_key=None):
        FakeInterface.asked = ("request", routing_key, msgop, payload, lockout_key)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def request_all(self, routing_key, msgop, payload, timeout=None, lockout_key=None, quiet_time=None):
        FakeInterface.asked = ("request_all", routing_key, msgop, payload, lockout_key, quiet_time)
        return self.answer


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


@pytest.fixture(autouse=True)
def mesh(monkeypatch):
    monkeypatch.setattr(interface, "Interface", FakeInterface)
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    monkeypatch.setattr(FakeInterface, "asked", None)
    monkeypatch.setattr(FakeInterface, "answer", ReplyMessage(PEACHES))
    return FakeInterface


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("get peaches", ("request", "peaches", OP_GET, {"values": []}, None)),
        ("set peaches 1.5", ("request", "peaches", OP_SET, {"values": [1.5]}, None)),
        ("set peaches -1e-3", ("request", "peaches", OP_SET, {"values": [-0.001]}, None)),
        ("set peaches -inf", ("request", "peaches", OP_SET, {"values": ["-inf"]}, None)),
        ("set peaches -b localhost 1.5", ("request", "peaches", OP_SET, {"values": [1.5]}, None)),
        ("config peaches a 10", ("request", "peaches", OP_CONFIG, {"values": ["a", 10]}, None)),
        ("run peaches 1 x=2", ("request", "peaches", OP_RUN, {"values": [1], "x": 2}, None)),
        ("cmd peaches.ping", ("request", "peaches.ping", OP_CMD, {"values": []}, None)),
        ("cmd peaches ping", ("request", "peaches", OP_CMD, {"values": ["ping"]}, None)),
        ("send dev *IDN? 007 x=1", ("request", "dev", OP_SEND, {"values": ["*IDN?", "007", "x=1"]}, None)),
        (f"set x 1 --lockout-key {WRITTEN_KEY}", ("request", "x", OP_SET, {"values": [1]}, KEY)),
        (f"cmd x.lock lease=60 --lockout-key {KEY}", ("request", "x.lock", OP_CMD, {"values": [], "lease": 60}, KEY)),
        ("cmd x.lock lease=1.5", ("request", "x.lock", OP_CMD, {"values": [], "lease": 1.5}, None)),
        ("cmd x.unlock force=true", ("request", "x.unlock", OP_CMD, {"values": [], "force": True}, None)),
    ],
)
def test_the_words_become_a_request(line, expected, mesh):
    assert main(line.split()) == 0
    assert mesh.asked == expected


def test_the_interface_is_told_broker_and_time(mesh):
    main(["get", "peaches", "-b", "host:5673", "--timeout", "0.5"])
    name = f"get peaches@{socket.gethostname()}"
    assert mesh.made == ("host:5673", name, False, 0.5)
    main(["get", "peaches", "-b"])
    assert mesh.made == ("localhost", name, False, 10.0)
    main(["get", "peaches"])
    assert mesh.made[0] is None


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
def test_the_answer_is_one_line(line, reply, printed, status, mesh, capsys):
    mesh.answer = reply
    assert main(line.split()) == status
    assert capsys.readouterr() == (f"{printed}\n", "")


def test_a_text_in_the_reply_is_a_log_line(mesh, capsys):
    mesh.answer = ReplyMessage(None, return_msg="operation completed silently")
    assert main(["set", "waffles", "4.5"]) == 0
    out, err = capsys.readouterr()
    assert out == "waffles->4.5(ret:0): {'values': [None]}\n"
    assert re.fullmatch(
        r"\S+\[Level 25\] dragonfly\.subcommands\.agent\(\d+\) -> "
        r"return message: operation completed silently\n",
        err,
    )


def test_a_broadcast_has_a_line_for_each_reply(mesh, capsys):
    sender = {"service_name": "my_store"}
    mesh.answer = [ReplyMessage(None, sender_info=sender), ReplyMessage(1, sender_info={}, retcode=300)]
    assert main(["cmd", "broadcast.ping"]) == 1
    assert mesh.asked[:2] == ("request_all", "broadcast.ping")
    assert capsys.readouterr().out.splitlines() == [
        "broadcast.ping(ret:0): [my_store]-> {'values': [None]}",
        "broadcast.ping(ret:300): {'values': [1]}",
    ]


def test_a_broadcast_that_nobody_answers(mesh, capsys):
    mesh.answer = []
    assert main(["cmd", "broadcast.ping", "--timeout", "0.5"]) == 4
    assert "no service answered broadcast.ping within 0.5 s" in capsys.readouterr().err


def test_a_broadcast_in_json_is_one_object_a_line_too(mesh, capsys):
    mesh.answer = [ReplyMessage(number, sender_info={"service_name": f"store{number}"}) for number in range(3)]
    assert main(["get", "broadcast.x", "--yes", "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(reply["target"], reply["service"], reply["payload"]) for reply in shown] == [
        ("broadcast.x", f"store{number}", {"values": [number]}) for number in range(3)
    ]


@pytest.mark.parametrize(("options", "expected"), [([], 0.5), (["--quiet-time", "2"], 2.0)])
def test_a_broadcast_ends_a_quiet_time_after_the_last_reply(options, expected, mesh):
    mesh.answer = [ReplyMessage(1)]
    assert main(["cmd", "broadcast.ping", *options]) == 0
    assert mesh.asked[-1] == expected


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon"])
def test_a_quiet_time_is_a_time(text, mesh, capsys):
    assert main(["cmd", "broadcast.ping", f"--quiet-time={text}"]) == 2
    assert mesh.asked is None
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
def test_what_is_broadcast_every_day_is_not_asked_about(words, mesh, capsys, monkeypatch):
    mesh.answer = [ReplyMessage(1)]
    monkeypatch.setattr(sys, "stdin", None)
    assert main(words) == 0
    assert mesh.asked[0] == "request_all"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("typed", ["y\n", "Y\n", " yes \n", "y"])
def test_another_broadcast_is_sent_when_the_person_says_y(typed, mesh, capsys, monkeypatch):
    mesh.answer = [ReplyMessage(1)]
    at_a_terminal(monkeypatch, typed)
    assert main(["set", "broadcast.log_interval", "10"]) == 0
    assert mesh.asked[:3] == ("request_all", "broadcast.log_interval", OP_SET)
    out, err = capsys.readouterr()
    assert out == "broadcast.log_interval->10(ret:0): {'values': [1]}\n"
    assert err.rstrip("\n") == QUESTION


@pytest.mark.parametrize("typed", ["n\n", "\n", "no\n", "yess\n", "", None])
@pytest.mark.parametrize("words", [["set", "broadcast.log_interval", "10"], ["get", "broadcast"], ["run", "broadcast"]])
def test_any_other_answer_sends_nothing_and_says_so_and_is_no_success(words, typed, mesh, capsys, monkeypatch):
    at_a_terminal(monkeypatch, typed)
    assert main(words) == 130
    assert mesh.asked is None
    out, err = capsys.readouterr()
    assert out == ""
    question, _, said = err.partition("[y/n] ")
    assert f"{question}[y/n] " == QUESTION
    assert re.fullmatch(r"\n?\S+\[WARNING \] dragonfly\.subcommands\.broadcast\(\d+\) -> nothing was sent\n", said)


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\n")])
def test_without_a_terminal_a_broadcast_needs_yes(stdin, mesh, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["get", "broadcast.log_interval"]) == 2
    assert mesh.asked is None
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "--yes sends it without asking" in err
    mesh.answer = [ReplyMessage(1)]
    assert main(["get", "broadcast.log_interval", "--yes"]) == 0
    assert capsys.readouterr().err == ""


def test_the_words_of_a_send_are_no_specifier(mesh, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["send", "broadcast", "ping"]) == 2
    assert mesh.asked is None


def test_who_locks_sees_the_key_in_the_reply_and_nobody_in_the_log(mesh, capsys):
    payload = {"lockout-key": KEY, "key": KEY}
    mesh.answer = ReplyMessage(payload)
    assert main(["cmd", "peaches.lock", "-v"]) == 0
    out, err = capsys.readouterr()
    assert out == f"peaches.lock(ret:0): {payload}\n"
    assert "response:" in err
    assert KEY not in err
    assert main(["cmd", "peaches.lock", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["payload"] == payload


@pytest.mark.parametrize("key", ["", "ab-C", "0123", f"{KEY}0", "g" * 32])
def test_a_lockout_key_that_is_none_is_one_sentence_before_anything_is_sent(key, mesh, capsys):
    assert main(["set", "x", "1", f"--lockout-key={key}"]) == 2
    assert mesh.asked is None
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "--lockout-key: a lockout key is 32 hexadecimal digits" in err
    assert not key or key not in err


def test_v_shows_the_whole_reply_in_the_tutorials_order(mesh, capsys):
    mesh.answer = ReplyMessage(PEACHES, timestamp="2015-12-05T01:25:03Z", sender_info={"x": 1, "exe": "e"})
    main(["get", "peaches", "-v"])
    _, _, text = capsys.readouterr().err.partition("-> response:\n")
    assert list(json.loads(text)) == ["timestamp", "sender_info", "retcode", "return_msg", "payload"]
    assert text.startswith('{\n    "timestamp": "2015-12-05T01:25:03Z"')


def test_pretty_print(mesh, capsys):
    main(["get", "peaches", "--pretty-print"])
    out, err = capsys.readouterr()
    assert out == f"peaches(ret:0): {PEACHES}\n\n1.5\n\n"
    assert err == ""
    mesh.answer = ReplyMessage(30)
    main(["get", "peaches", "--pretty-print"])
    out, err = capsys.readouterr()
    assert out == "peaches(ret:0): {'values': [30]}\n"
    assert err.endswith("-> no value cal present, unable to pretty-print\n")


def test_json_is_one_object_a_line(mesh, capsys):
    mesh.answer = ReplyMessage(
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
def test_only_an_error_on_a_terminal_is_red(is_terminal, no_color, retcode, red, mesh, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    mesh.answer = ReplyMessage(1, retcode=retcode)
    main(["get", "x"])
    line = f"x(ret:{retcode}): {{'values': [1]}}"
    assert capsys.readouterr().out == (f"\x1b[91m{line}\x1b[0m\n" if red else f"{line}\n")


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("config peaches log_interval", "get peaches.log_interval"),
        ("config peaches log_interval 10", "set peaches.log_interval 10"),
        ("config peaches", "get peaches"),
    ],
)
def test_config_says_what_replaces_it(line, instead, capsys):
    assert main(line.split()) == 0
    err = capsys.readouterr().err
    assert "[WARNING ]" in err
    assert err.endswith(f"-> config is deprecated: use dragonfly {instead}\n")


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (DriplineTimeoutError("no reply"), 4, "no reply"),
        (
            DriplineAMQPConnectionError("no broker at x"),
            3,
            'no broker at x; another broker is named with "-b" or "--broker"',
        ),
        (DriplineAMQPError("the broker refuses the request"), 3, "the broker refuses the request"),
        (DriplinePayloadError("too large"), 2, "too large"),
        (DriplineDecodingError("not JSON"), 1, "the reply cannot be understood: not JSON"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_each_failure_is_one_sentence_and_its_status(error, status, sentence, options, mesh, capsys):
    mesh.answer = error
    assert main(["get", "peaches", *options]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"\S+\[ERROR   \] dragonfly\.subcommands\.agent\(\d+\) -> " + re.escape(sentence) + "\n", err)


def test_ctrl_c_while_waiting(mesh, capsys):
    mesh.answer = KeyboardInterrupt()
    assert main(["get", "peaches"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["get", ""], "the target is empty"),
        (["get", "a b"], "'a b' cannot be a target"),
        (["get", "a\n"], "cannot be a target"),
        (["get", "a\udc80"], "cannot be a target"),
        (["get", "µ" * 128], "is too long: AMQP allows a name of 255 bytes"),
        (["run", "x", "values=1"], "'values' is for the values that have no key"),
        (["run", "x", "a=1", "a=2"], "'a' is given twice"),
        (["get", "x", "-b", "nonsense"], "'nonsense' is no address of a broker"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence_and_status_2(words, sentence, mesh, capsys):
    assert main(words) == 2
    assert mesh.asked is None
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert sentence in err


@pytest.mark.parametrize("text", ["0", "-1", "-1e-3", "inf", "nan", "x", "5e6"])
def test_a_timeout_is_above_0_and_finite(text, mesh, capsys):
    assert main(["get", "x", f"--timeout={text}"]) == 2
    assert mesh.asked is None
    assert f"not '{text}'" in capsys.readouterr().err

"""The monitor: its blocks, what it leaves out, and how it ends."""

import io
import json
import os
import re
import sys
import types

import pytest

from dragonfly.cli import main
from dragonfly.core.codec import encode
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineValueError
from dragonfly.core.message import AlertMessage, ReplyMessage, RequestMessage

SENDER = {"username": "u", "exe": "e", "package": "dripline", "hostname": "h", "version": "v", "commit": "g"}
HEAD = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\[Level 35\] dragonfly\.subcommands\.message_monitor\(\d+\) -> "


def delivery(body, routing_key="peaches", **properties):
    given = {
        "exchange": "requests",
        "app_id": "dripline.core.Service",
        "content_encoding": "application/json",
        "headers": {},
    }
    return types.SimpleNamespace(body=body, routing_key=routing_key, **{**given, **properties})


REQUEST = delivery(encode(RequestMessage(1, {"values": []}, timestamp="2015-12-05T01:25:03Z", sender_info=SENDER)))


class FakeListener:
    """Gives what the test has put into `deliveries`, then Ctrl-C."""

    deliveries = ()
    made = None
    stopped = 0
    error = None
    burst = 1

    def before_wait(self):
        pass

    def __init__(self, broker, exchanges, keys, name):
        FakeListener.made = (broker, exchanges, keys)
        self._left = list(self.deliveries)

    def start(self):
        if self.error:
            raise self.error

    def stop(self):
        FakeListener.stopped += 1

    def next_burst(self, timeout):
        if self._left:
            burst, self._left = self._left[: self.burst], self._left[self.burst :]
            return [entry for entry in burst if entry is not None]
        if timeout == 0:
            return []
        self.before_wait()
        if timeout is None:
            raise KeyboardInterrupt
        return []


@pytest.fixture(autouse=True)
def listener(monkeypatch):
    from dragonfly.core import listener as module

    monkeypatch.setattr(module, "Listener", FakeListener)
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    monkeypatch.setattr(FakeListener, "stopped", 0)
    monkeypatch.setattr(FakeListener, "deliveries", ())
    return FakeListener


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("monitor", (None, ["alerts"], ["#"])),
        ("monitor -e requests -b host", ("host", ["requests"], ["#"])),
        ("monitor -e requests -e alerts -e requests", (None, ["requests", "alerts"], ["#"])),
        ("monitor -k a.# b -b", ("localhost", ["alerts"], ["a.#", "b"])),
        ("monitor -k a.# a.#", (None, ["alerts"], ["a.#"])),
        ("monitor -k", (None, ["alerts"], ["#"])),
        ("monitor -b one,amqp://two", ("one,amqp://two", ["alerts"], ["#"])),
    ],
)
def test_it_listens_to_what_it_is_told(line, made, listener):
    assert main(line.split()) == 0
    assert listener.made == made
    assert listener.stopped == 1


def test_a_block_is_the_tutorials(listener, capsys):
    listener.deliveries = [REQUEST]
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


def test_po_keeps_the_head_and_shows_the_payload_alone(listener, capsys):
    listener.deliveries = [REQUEST]
    main(["monitor", "-po"])
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(HEAD, lines[0])
    assert lines[1:] == [
        "dripline.core.Service [peaches]     (From App [routing_key])",
        "{",
        '  "values": []',
        "}",
    ]


def test_what_cannot_be_decoded_is_shown_as_text_and_it_goes_on(listener, capsys):
    listener.deliveries = [
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


@pytest.mark.parametrize(("options", "shown"), [([], 0), (["-v"], 0), (["-vv"], 1)])
def test_probes_are_shown_with_vv_only(options, shown, listener, capsys):
    listener.deliveries = [delivery(REQUEST.body, headers={"probe": True})]
    main(["monitor", *options])
    assert capsys.readouterr().out.count("(From App [routing_key])") == shown


def test_a_wake_up_without_a_message_is_no_message(listener, capsys):
    listener.deliveries = [None, REQUEST, None]
    assert main(["monitor"]) == 0
    assert capsys.readouterr().out.count("(From App [routing_key])") == 1


def test_what_was_shown_is_flushed_before_a_wait(listener, monkeypatch):
    class Stream(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed = self.getvalue().count("(From App [routing_key])")

    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    listener.deliveries = [REQUEST, REQUEST]
    monkeypatch.setattr(listener, "before_wait", lambda self: flushed.append(stream.flushed))
    flushed = []
    main(["monitor"])
    assert flushed == [2]


def test_json_is_one_object_a_line(listener, capsys):
    secret = encode(RequestMessage(0, lockout_key="secret"))
    listener.deliveries = [
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


def test_json_with_po_has_the_payload_for_a_message(listener, capsys):
    listener.deliveries = [REQUEST]
    main(["monitor", "--json", "-po"])
    assert json.loads(capsys.readouterr().out)["message"] == {"values": []}


@pytest.mark.parametrize("option", ["-k", "-e"])
def test_a_key_that_amqp_cannot_carry_is_refused(option, listener, capsys, monkeypatch):
    monkeypatch.setattr(listener, "made", None)
    assert main(["monitor", option, "a" * 256]) == 2
    assert listener.made is None
    assert "is too long" in capsys.readouterr().err


def test_ctrl_c_says_good_bye(capsys):
    assert main(["monitor"]) == 0
    err = capsys.readouterr().err
    assert err.endswith("-> received <Ctrl+c>... exiting\n")
    assert len(err.splitlines()) == 1


def test_v_says_that_it_has_started(capsys):
    main(["monitor", "-v"])
    assert "[INFO    ] dragonfly.subcommands.message_monitor(" in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(
    ("error", "status"),
    [(DriplineAMQPConnectionError("no broker at x"), 3), (DriplineValueError("no address"), 2)],
)
def test_a_failure_is_one_sentence_and_its_status(error, status, listener, capsys, monkeypatch):
    monkeypatch.setattr(listener, "error", error)
    assert main(["monitor"]) == status
    assert listener.stopped == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_closed_pipe_ends_quietly(listener, monkeypatch, capsys):
    class Closed:
        def write(self, text):
            return None

        def flush(self):
            raise BrokenPipeError

        def fileno(self):
            return os.open(os.devnull, os.O_WRONLY)

    listener.deliveries = [REQUEST] * 2
    for options in ([], ["--json"]):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Closed())
            assert main(["monitor", *options]) == 0
    assert listener.stopped == 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("options", [[], ["-po"], ["--json"], ["--json", "-po"]])
def test_no_lockout_key_is_shown_in_any_form(options, listener, capsys):
    locked = encode(ReplyMessage({"lockout-key": "secret", "key": "secret"}))
    asked = encode(RequestMessage(9, {"values": [], "lockout-key": "secret"}, lockout_key="secret"))
    listener.deliveries = [
        delivery(locked, "request_reply1"),
        delivery(asked, "peaches.lock"),
        delivery(locked, content_encoding="text/plain"),
        delivery(asked[:-2]),
    ]
    assert main(["monitor", "-e", "requests", *options]) == 0
    out = capsys.readouterr().out
    assert out.count("***") >= 6
    assert "secret" not in out


def test_show_keys_shows_them_in_every_form(listener, capsys):
    locked = encode(ReplyMessage({"lockout-key": "secret", "key": "secret"}))
    listener.deliveries = [delivery(locked), delivery(locked[:-2])]
    for options in ([], ["-po"], ["--json"], ["--json", "-po"]):
        assert main(["monitor", "--show-keys", *options]) == 0
        out = capsys.readouterr().out
        assert "***" not in out
        assert out.count("secret") == 4


def test_a_lockout_key_whose_name_is_written_by_numbers_is_masked(listener, capsys):
    body = encode(RequestMessage(1, lockout_key="secret")).replace(b"lockout_key", rb"\u006coc\u006bout_key")
    listener.deliveries = [delivery(body)]
    main(["monitor"])
    assert "secret" not in capsys.readouterr().out


@pytest.mark.parametrize("burst", [1, 3, 100])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_count_ends_after_so_many_messages_that_were_shown(burst, count, listener, capsys, monkeypatch):
    monkeypatch.setattr(listener, "burst", burst)
    probe = delivery(REQUEST.body, headers={"probe": True})
    listener.deliveries = [probe, REQUEST, REQUEST, probe, *[REQUEST] * 6]
    assert main(["monitor", "--count", str(count)]) == 0
    out, err = capsys.readouterr()
    assert out.count("(From App [routing_key])") == count
    assert err == ""
    assert listener.stopped == 1


def test_duration_ends_after_so_long(listener, capsys):
    listener.deliveries = [REQUEST, REQUEST]
    assert main(["monitor", "--duration", "0.05"]) == 0
    out, err = capsys.readouterr()
    assert out.count("(From App [routing_key])") == 2
    assert err == ""


@pytest.mark.parametrize(
    "words", [["--count", "0"], ["--count", "-1"], ["--count", "2.5"], ["--count", "x"], ["--duration", "0"]]
)
def test_an_end_that_is_none_is_refused(words, capsys):
    assert main(["monitor", *words]) == 2
    assert "was expected, not" in capsys.readouterr().err


def test_what_controls_a_terminal_is_made_visible(listener, capsys):
    listener.deliveries = [delivery(encode(AlertMessage("\x9b31m\x7f")), "a\x1b[2J", app_id="b\x07")]
    main(["monitor"])
    out = capsys.readouterr().out
    assert "b\\x07 [a\\x1b[2J]     (From App" in out
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in out.replace("\n", ""))

"""The monitor: what it listens to, what it leaves out, and how it ends."""

import io
import os
import sys

import pytest

from dragonfly.cli import main
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineValueError
from tests.subcommands.fake_listener import REQUEST, delivery

pytestmark = pytest.mark.usefixtures("fake_listener")


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
def test_it_listens_to_what_it_is_told(line, made, fake_listener):
    assert main(line.split()) == 0
    assert fake_listener.made == made
    assert fake_listener.stopped == 1


@pytest.mark.parametrize(("options", "shown"), [([], 0), (["-v"], 0), (["-vv"], 1)])
def test_probes_are_shown_with_vv_only(options, shown, fake_listener, capsys):
    fake_listener.deliveries = [delivery(REQUEST.body, headers={"probe": True})]
    main(["monitor", *options])
    assert capsys.readouterr().out.count("(From App [routing_key])") == shown


def test_a_wake_up_without_a_message_is_no_message(fake_listener, capsys):
    fake_listener.deliveries = [None, REQUEST, None]
    assert main(["monitor"]) == 0
    assert capsys.readouterr().out.count("(From App [routing_key])") == 1


def test_what_was_shown_is_flushed_before_a_wait(fake_listener, monkeypatch):
    class Stream(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed = self.getvalue().count("(From App [routing_key])")

    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    fake_listener.deliveries = [REQUEST, REQUEST]
    monkeypatch.setattr(fake_listener, "before_wait", lambda self: flushed.append(stream.flushed))
    flushed = []
    main(["monitor"])
    assert flushed == [2]


@pytest.mark.parametrize("option", ["-k", "-e"])
def test_a_key_that_amqp_cannot_carry_is_refused(option, fake_listener, capsys, monkeypatch):
    monkeypatch.setattr(fake_listener, "made", None)
    assert main(["monitor", option, "a" * 256]) == 2
    assert fake_listener.made is None
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
def test_a_failure_is_one_sentence_and_its_status(error, status, fake_listener, capsys, monkeypatch):
    monkeypatch.setattr(fake_listener, "error", error)
    assert main(["monitor"]) == status
    assert fake_listener.stopped == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_closed_pipe_ends_quietly(fake_listener, monkeypatch, capsys):
    class Closed:
        def write(self, text):
            return None

        def flush(self):
            raise BrokenPipeError

        def fileno(self):
            return os.open(os.devnull, os.O_WRONLY)

    fake_listener.deliveries = [REQUEST] * 2
    for options in ([], ["--json"]):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", Closed())
            assert main(["monitor", *options]) == 0
    assert fake_listener.stopped == 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("burst", [1, 3, 100])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_count_ends_after_so_many_messages_that_were_shown(burst, count, fake_listener, capsys, monkeypatch):
    monkeypatch.setattr(fake_listener, "burst", burst)
    probe = delivery(REQUEST.body, headers={"probe": True})
    fake_listener.deliveries = [probe, REQUEST, REQUEST, probe, *[REQUEST] * 6]
    assert main(["monitor", "--count", str(count)]) == 0
    out, err = capsys.readouterr()
    assert out.count("(From App [routing_key])") == count
    assert err == ""
    assert fake_listener.stopped == 1


def test_duration_ends_after_so_long(fake_listener, capsys):
    fake_listener.deliveries = [REQUEST, REQUEST]
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

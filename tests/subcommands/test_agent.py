"""get, set, config, run, cmd, send: what is asked, what is refused, and the exit status."""

import re
import socket

import pytest

from dragonfly.cli import main
from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPError,
    DriplineDecodingError,
    DriplinePayloadError,
    DriplineTimeoutError,
)
from tests.subcommands.fake_interface import KEY

WRITTEN_KEY = "01234567-89AB-CDEF-0123-456789ABCDEF"
pytestmark = pytest.mark.usefixtures("fake_mesh")


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
def test_the_words_become_a_request(line, expected, fake_mesh):
    assert main(line.split()) == 0
    assert fake_mesh.asked == expected


def test_the_interface_is_told_broker_and_time(fake_mesh):
    main(["get", "peaches", "-b", "host:5673", "--timeout", "0.5"])
    name = f"get peaches@{socket.gethostname()}"
    assert fake_mesh.made == ("host:5673", name, False, 0.5)
    main(["get", "peaches", "-b"])
    assert fake_mesh.made == ("localhost", name, False, 10.0)
    main(["get", "peaches"])
    assert fake_mesh.made[0] is None


@pytest.mark.parametrize("key", ["", "ab-C", "0123", f"{KEY}0", "g" * 32])
def test_a_lockout_key_that_is_none_is_one_sentence_before_anything_is_sent(key, fake_mesh, capsys):
    assert main(["set", "x", "1", f"--lockout-key={key}"]) == 2
    assert fake_mesh.asked is None
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "--lockout-key: a lockout key is 32 hexadecimal digits" in err
    assert not key or key not in err


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
def test_each_failure_is_one_sentence_and_its_status(error, status, sentence, options, fake_mesh, capsys):
    fake_mesh.answer = error
    assert main(["get", "peaches", *options]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"\S+\[ERROR   \] dragonfly\.subcommands\.agent\(\d+\) -> " + re.escape(sentence) + "\n", err)


def test_ctrl_c_while_waiting(fake_mesh, capsys):
    fake_mesh.answer = KeyboardInterrupt()
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
def test_what_cannot_be_sent_is_one_sentence_and_status_2(words, sentence, fake_mesh, capsys):
    assert main(words) == 2
    assert fake_mesh.asked is None
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert sentence in err


@pytest.mark.parametrize("text", ["0", "-1", "-1e-3", "inf", "nan", "x", "5e6"])
def test_a_timeout_is_above_0_and_finite(text, fake_mesh, capsys):
    assert main(["get", "x", f"--timeout={text}"]) == 2
    assert fake_mesh.asked is None
    assert f"not '{text}'" in capsys.readouterr().err

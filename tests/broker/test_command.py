from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from dragonfly.broker import Broker
from tests.broker.program import program, started
from tests.broker.wire_client import WireClient

PATIENCE = 20.0


def ended(*arguments: str, password: str | None = None) -> tuple[int, str, str]:
    """Return status, output and errors of a run that ends by itself."""
    with program(*arguments, password=password) as process:
        output, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, output, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_well(number: signal.Signals) -> None:
    with program("--port", "0") as process:
        with WireClient(started(process)) as client:
            client.say_hello()
        process.send_signal(number)
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0


@pytest.mark.parametrize("words", [("dragonfly.broker",), ("dragonfly", "broker")], ids=" ".join)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_further_signals_change_nothing(number: signal.Signals, words: tuple[str, ...]) -> None:
    with program("--port", "0", words=words) as process:
        started(process)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.002)
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0


def test_a_user_has_the_password_of_the_environment() -> None:
    with program("--port", "0", "--user", "me", password="secret") as process:
        address = started(process)
        with WireClient(address, credentials=("me", "secret")) as client:
            client.say_hello()
        stranger = WireClient(address)
        with stranger.socket:
            assert stranger.log_in().method.reply_code == 403


def test_a_broker_that_is_there_already_is_no_error() -> None:
    with Broker() as broker:
        assert ended("--port", str(broker.port)) == (
            0,
            f"a broker already answers on {broker.address}: nothing to do\n",
            "",
        )


def test_the_second_of_two_programs_on_one_port_leaves_it_to_the_first() -> None:
    with program("--port", "0") as first:
        address = started(first)
        port = address.rpartition(":")[2]
        assert ended("--port", port) == (0, f"a broker already answers on {address}: nothing to do\n", "")
        with WireClient(address) as client:
            client.say_hello()
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
    with program("--port", port) as again, WireClient(started(again)) as client:
        client.say_hello()


def test_a_port_that_something_else_has_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output, errors = ended("--port", str(port))
    assert (status, output) == (6, "")
    assert errors == f"the broker cannot listen on 127.0.0.1:{port}: something that is no AMQP broker has this port\n"


def test_an_address_of_another_machine_is_one_sentence() -> None:
    status, output, errors = ended("--host", "192.0.2.1", "--user", "me", password="secret")
    assert (status, output) == (6, "")
    assert errors.startswith("the broker cannot listen on 192.0.2.1:5672: ") and errors.count("\n") == 1


OTHERS = "can be reached by others:"
VARIABLE = "the environment variable DRAGONFLY_PASSWORD"


@pytest.mark.parametrize(
    ("arguments", "password", "sentence"),
    [
        (["--host", "0.0.0.0"], None, f"0.0.0.0 {OTHERS} --user must name a user other than guest"),
        (["--host", "::"], "secret", f":: {OTHERS} --user must name a user other than guest"),
        (["--host", "0.0.0.0", "--user", "guest"], "x", f"0.0.0.0 {OTHERS} --user must name a user other than guest"),
        (["--host", "0.0.0.0", "--user", "me"], None, f"--user me needs a password in {VARIABLE}"),
        (["--host", "0.0.0.0", "--user", "me"], "guest", f"0.0.0.0 {OTHERS} DRAGONFLY_PASSWORD must be another"),
        (["--user", "me"], "", f"--user me needs a password in {VARIABLE}"),
        (["--port", "65536"], None, "--port takes a number from 0 to 65535, not 65536"),
        (["--port", "x"], None, "usage: python -m dragonfly.broker"),
        (["nonsense"], None, "usage: python -m dragonfly.broker"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(arguments: list[str], password: str | None, sentence: str) -> None:
    status, output, errors = ended(*arguments, password=password)
    assert (status, output) == (2, "")
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1 or errors.startswith("usage")


def test_a_stdout_that_nobody_reads_ends_no_broker() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "dragonfly.broker", "--port", "0"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    with process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2.0)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")

"""examples/quickstart.sh: the tutorial's lines, and nothing left behind."""

import os
import re
import shlex
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.terminal import Terminal

ROOT = Path(__file__).parents[1]
QUICKSTART = str(ROOT / "examples" / "quickstart.sh")
# The first run makes .venv and installs, from a network that may be slow.
PATIENCE = 300

LINES = [
    "peaches(ret:0): {'value_cal': 1.5, 'value_raw': '0.75'}",
    "chips->1.79(ret:0): {'value_cal': 5.37, 'value_raw': '1.79'}",
    "dripline.core.Service [sensor_value.chips]     (From App [routing_key])",
    "chips(ret:0): {'value_cal': 5.37, 'value_raw': '1.79'}",
    "peaches.ping(ret:0): {'values': [None]}",
]


def quickstart(*words: str, script: str = QUICKSTART, **settings: str) -> "subprocess.CompletedProcess[str]":
    env = {key: value for key, value in os.environ.items() if not key.startswith("DRAGONFLY_")}
    return subprocess.run(
        [script, *words],
        env={**env, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def is_open(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def check_walk(stdout: str) -> None:
    found = [stdout.find(line) for line in LINES]
    assert -1 not in found, stdout
    assert found == sorted(found)


def test_the_quick_start_shows_the_tutorial_and_leaves_nothing_running() -> None:
    done = quickstart("--once")
    assert done.returncode == 0, done.stdout + done.stderr
    check_walk(done.stdout)
    ours = re.search(r"embedded AMQP broker on (\S+): for one machine, keeps nothing on disk", done.stdout)
    assert ours
    assert not is_open(ours[1])


def test_the_quick_start_takes_a_free_port_where_the_usual_one_is_taken() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 5672))
            other.listen()
        except OSError:
            pass  # it is taken by somebody else, which is as good
        done = quickstart("--once")
    assert done.returncode == 0, done.stdout + done.stderr
    check_walk(done.stdout)
    assert "embedded AMQP broker on 127.0.0.1:5672" not in done.stdout


def test_the_quick_start_uses_a_broker_that_it_is_given(broker: "object") -> None:
    address = broker.address  # type: ignore[attr-defined]
    done = quickstart("--broker", address)
    assert done.returncode == 0, done.stdout + done.stderr
    check_walk(done.stdout)
    assert "embedded" not in done.stdout
    assert is_open(address)


def test_where_no_broker_answers_it_says_so() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = quickstart(f"--broker={address}")
    assert done.returncode == 2
    assert f"unable to connect to broker {address}: Connection refused" in done.stderr


def test_two_at_once_do_not_meet() -> None:
    with ThreadPoolExecutor() as pool:
        both = [started.result() for started in [pool.submit(quickstart, "--once") for _ in range(2)]]
    for done in both:
        assert done.returncode == 0, done.stdout + done.stderr
        check_walk(done.stdout)
    first, second = (re.findall(r"broker on (\S+):", done.stdout) for done in both)
    assert first != second


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--twice"], "there is no option --twice"),
        (["--broker", "--once"], "--broker needs HOST or HOST:PORT"),
        (["--broker="], "--broker needs HOST or HOST:PORT"),
        (["--broker"], "--broker needs HOST or HOST:PORT"),
    ],
)
def test_nonsense_is_told(words: list[str], told: str) -> None:
    done = quickstart(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_shell_that_is_not_bash_hands_over_to_it() -> None:
    done = quickstart(QUICKSTART, "--help", script="/bin/sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--once" in done.stdout


def test_the_quick_start_runs_through_a_link_to_it_whatever_cdpath_says(tmp_path: Path) -> None:
    link = tmp_path / "start"
    link.symlink_to(QUICKSTART)
    (tmp_path / "examples").mkdir()
    done = quickstart("--once", script=str(link), CDPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    check_walk(done.stdout)


def test_the_quick_starts_own_broker_does_not_mind_credentials_for_another(tmp_path: Path) -> None:
    file = tmp_path / "authentications.json"
    file.write_text('{"amqp": {"username": "alice", "password": "secret"}}')
    for settings in ({"DRAGONFLY_USER": "alice", "DRAGONFLY_PASSWORD": "secret"}, {"DRAGONFLY_AUTH_FILE": str(file)}):
        done = quickstart("--once", **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        check_walk(done.stdout)


def test_in_a_terminal_it_stays_up_until_ctrl_c_and_a_second_terminal_can_use_it() -> None:
    # Such a terminal needs the line with export, also where the usual port was free.
    with Terminal([QUICKSTART], DRAGONFLY_BROKER="127.0.0.1:1") as terminal:
        terminal.wait_for("and then, for example: dragonfly get peaches")
        lines = re.findall(r"^ {4}(\S.*)$", terminal.shown.split("In a second terminal:")[1], re.MULTILINE)
        assert [line.split()[0] for line in lines] == ["source", "export"]
        second = "\n".join([*lines, "dragonfly get peaches"])
        done = subprocess.run(["bash"], input=second, capture_output=True, text=True, timeout=PATIENCE)
        assert done.stdout == "peaches(ret:0): {'value_cal': 1.5, 'value_raw': '0.75'}\n"
        terminal.type("\x03")
        assert terminal.status() == 0
        assert terminal.has_ended()


@pytest.mark.parametrize(("end", "status"), [("ctrl-c", 128 + signal.SIGINT), ("kill", 128 + signal.SIGTERM)])
def test_ended_in_the_middle_it_leaves_nothing_running(end: str, status: int) -> None:
    with Terminal([QUICKSTART]) as terminal:
        terminal.wait_for("$ dragonfly get peaches")
        if end == "kill":
            terminal.terminate()
        else:
            terminal.type("\x03\x03")  # who is impatient
        assert terminal.status() == status
        assert terminal.has_ended()


def test_a_terminal_that_is_closed_leaves_nothing_running() -> None:
    with Terminal([QUICKSTART]) as terminal:
        terminal.wait_for("and then, for example")
        terminal.close()
        assert terminal.has_ended()


def test_a_reader_that_has_seen_enough_leaves_nothing_running() -> None:
    with Terminal(["bash", "-c", f"{shlex.quote(QUICKSTART)} </dev/null | head -n 1"]) as terminal:
        terminal.wait_for("embedded AMQP broker on")
        assert terminal.status() == 0
        assert terminal.has_ended()

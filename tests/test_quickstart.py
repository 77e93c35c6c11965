"""examples/quickstart.sh: the tutorial's lines, and nothing left behind."""

import os
import re
import socket
import subprocess
from pathlib import Path

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


def test_nonsense_is_told() -> None:
    done = quickstart("--twice")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no option --twice" in done.stderr


def test_the_quick_start_runs_through_a_link_to_it(tmp_path: Path) -> None:
    link = tmp_path / "start"
    link.symlink_to(QUICKSTART)
    done = quickstart("--once", script=str(link))
    assert done.returncode == 0, done.stdout + done.stderr
    check_walk(done.stdout)


def test_the_quick_starts_own_broker_does_not_mind_credentials_for_another(tmp_path: Path) -> None:
    file = tmp_path / "authentications.json"
    file.write_text('{"amqp": {"username": "alice", "password": "secret"}}')
    for settings in ({"DRAGONFLY_USER": "alice", "DRAGONFLY_PASSWORD": "secret"}, {"DRAGONFLY_AUTH_FILE": str(file)}):
        done = quickstart("--once", **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        check_walk(done.stdout)


def test_an_option_is_no_broker() -> None:
    done = quickstart("--broker", "--once")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--broker needs HOST or HOST:PORT" in done.stderr

"""The monitor as a person has it: both exchanges, its ends, closed pipes, full disks, and no message lost."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.constants import ALERTS, REQUESTS
from dragonfly.core.listener import BURST, Listener
from dragonfly.testing import Mesh
from tests.mesh.program import DRAGONFLY, STAMP, Program, environment
from tests.waiting import wait_until

CONFIG = """\
name: my_store
endpoints:
  - {name: peaches, module: kv_store_key, initial_value: 0.75, log_on_set: true, get_on_set: true}
"""
MANY = 5_000


@pytest.fixture
def store(mesh: Mesh) -> Mesh:
    mesh.serve(CONFIG)
    return mesh


def test_two_exchanges_are_shown_at_once(store: Mesh) -> None:
    words = ["monitor", "-e", "requests", "-e", "alerts", "-k", "peaches", "sensor_value.peaches", "--json", "-v"]
    with Program(store.address, *words, "--count", "2") as monitor:
        monitor.wait_for("stderr", "starting to monitor")
        store.client.set("peaches", 5)
        done = monitor.wait()
    seen = [(message["exchange"], message["routing_key"]) for message in map(json.loads, done.stdout.splitlines())]
    assert sorted(seen) == [("alerts", "sensor_value.peaches"), ("requests", "peaches")]
    assert done.status == 0


def test_it_ends_after_its_duration(broker: Any) -> None:
    with Program(broker.address, "monitor", "--duration", "0.2") as monitor:
        done = monitor.wait()
    assert (done.status, done.stdout, done.stderr) == (0, "", "")


def test_an_unknown_exchange_beside_a_known_one_is_told(broker: Any) -> None:
    with Program(broker.address, "monitor", "-e", "alerts", "-e", "nonsense") as monitor:
        done = monitor.wait()
    assert done.status == 2
    assert "there is no exchange nonsense: those of a mesh are" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def piped(store: Mesh, behind: str) -> tuple[list[str], str]:
    """Run a monitor with something behind it while alerts come; return what was printed, the last line its status."""
    line = f"{' '.join(DRAGONFLY)} monitor --show-keys -v {behind}; echo ${{PIPESTATUS[0]}}"
    shell = subprocess.Popen(
        ["bash", "-c", line],
        env=environment(store.address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert shell.stderr is not None
    while "starting to monitor" not in shell.stderr.readline():
        pass

    def ended() -> bool:
        store.client.set("peaches", 5)
        return shell.poll() is not None

    assert wait_until(ended, timeout=20.0)
    out, err = shell.communicate(timeout=10)
    return out.splitlines(), err


def test_a_reader_that_has_seen_enough_ends_it_quietly(store: Mesh) -> None:
    (head, status), err = piped(store, "| head -1")
    assert re.fullmatch(rf"{STAMP}\[Level 35\] dragonfly\.subcommands\.message_monitor\(\d+\) -> ", head)
    assert (status, err) == ("0", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_sentence(store: Mesh) -> None:
    (status,), err = piped(store, "> /dev/full")
    assert status == "1"
    assert re.fullmatch(
        rf"{STAMP}\[ERROR   \] dragonfly\.cli\(\d+\) -> the output cannot be written: No space .+\n", err
    )


def test_no_message_is_lost_in_a_flood(store: Mesh, tmp_path: Path) -> None:
    written = tmp_path / "written"
    with written.open("w") as file:
        monitor = subprocess.Popen(
            [*DRAGONFLY, "monitor", "--json", "-po", "-v", "-k", "flood", "--count", str(MANY)],
            env=environment(store.address),
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert monitor.stderr is not None
        with monitor.stderr:
            while "starting to monitor" not in monitor.stderr.readline():
                pass
            service = store.serve("name: flooding\n")
            for number in range(MANY):
                service.send_alert("flood", number)
            assert monitor.wait(timeout=60) == 0
    assert [json.loads(line)["message"] for line in written.read_text().splitlines()] == list(range(MANY))


def test_a_listener_hands_over_all_that_has_come_in_order(store: Mesh) -> None:
    service = store.serve("name: speaking\n")
    with Listener(store.address, [ALERTS, REQUESTS], ["spoken"], "listener") as listener:
        for number in range(3 * BURST):
            service.send_alert("spoken", number)
        seen: list[int] = []
        while len(seen) < 3 * BURST:
            burst = listener.next_burst(10.0)
            assert 0 < len(burst) <= BURST
            seen += [json.loads(delivery.body)["payload"] for delivery in burst]
        assert seen == list(range(3 * BURST))
        assert listener.next_burst(0) == []
        listener.wake()
        assert listener.next_burst(10.0) == []

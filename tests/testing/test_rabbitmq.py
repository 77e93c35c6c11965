"""The private RabbitMQ: it starts, survives a crash with its data, and leaves nothing, however the tests end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import require_rabbitmq
from dragonfly.testing.processes import Keeper, free_ports
from dragonfly.testing.rabbitmq import answers_amqp

# Prints the number and the directory of a child and waits to be ended: what a run of tests is to its server.
OWNER = """
import subprocess, tempfile, pathlib, time
from dragonfly.testing.processes import Keeper
directory = pathlib.Path(tempfile.mkdtemp())
keeper = Keeper(directory)
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
keeper.watch([child.pid])
print(child.pid, directory, flush=True)
time.sleep(60)
"""


def processes_of(directory: Path) -> list[int]:
    """Return the processes whose environment names this directory (Linux; elsewhere none are found)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(directory).encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return found


def wait_until_gone(directory: Path, *pids: int, patience: float = 5.0) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not directory.exists() and not processes_of(directory) and not any(map(is_alive, pids)):
            return
        time.sleep(0.02)
    pytest.fail(f"still here: {directory.exists()=}, {processes_of(directory)=}, {pids=}")


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def node() -> Iterator[RabbitMQNode]:
    require_rabbitmq()
    node = RabbitMQNode()
    yield node
    node.stop()


@pytest.mark.rabbitmq
def test_a_node_lives_through_a_crash_and_leaves_nothing(node: RabbitMQNode) -> None:
    node.start()
    directory = Path(node.directory)
    port = node.port
    assert node.running
    assert answers_amqp(port)
    assert node.address == f"127.0.0.1:{port}"
    node.ctl("add_user", "visitor", "secret")
    assert len(processes_of(directory)) >= 2

    node.kill()
    assert not node.running
    assert not answers_amqp(port)
    node.start()
    assert node.port == port
    assert "visitor" in node.ctl("list_users")

    node.stop()
    node.stop()
    assert not node.running
    assert not answers_amqp(port)
    wait_until_gone(directory)


@pytest.mark.rabbitmq
def test_a_node_that_cannot_start_says_why_and_leaves_nothing() -> None:
    require_rabbitmq()
    node = RabbitMQNode(config="no_such_key = 1")
    with pytest.raises(RuntimeError, match="no_such_key"):
        node.start()
    assert not node.running


@pytest.mark.rabbitmq
def test_what_rabbitmqctl_refuses_is_an_error(broker: RabbitMQNode) -> None:
    if not isinstance(broker, RabbitMQNode):
        pytest.skip("the broker is not ours")
    with pytest.raises(RuntimeError, match="nonsense"):
        broker.ctl("nonsense")


@pytest.mark.rabbitmq
def test_the_broker_of_the_session_answers(broker: RabbitMQNode) -> None:
    host, _, port = broker.address.partition(":")
    assert host
    assert broker.url == f"amqp://guest:guest@{broker.address}/"
    assert answers_amqp(int(port))


def test_a_port_where_nothing_speaks_amqp_does_not_answer() -> None:
    assert not answers_amqp(free_ports(1)[0])


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(50))) == 50


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_was_started_ends_with_its_owner(end: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with owner:
        assert owner.stdout is not None
        pid, directory = owner.stdout.readline().split()
        assert is_alive(int(pid))
        owner.send_signal(end)
    wait_until_gone(Path(directory), int(pid))


def test_a_keeper_kills_nothing_that_it_was_told_to_forget(tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    directory.mkdir()
    keeper = Keeper(directory)
    keeper.watch([os.getpid()])
    keeper.watch([])
    keeper.close()
    assert not directory.exists()

"""What a tmux session starts, without tmux: in a terminal that is opened and closed as tmux does it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dragonfly
from tests.terminal import Terminal
from tests.waiting import wait_until

PATIENCE = 30.0  # s
RELAY = Path(dragonfly.__file__).with_name("tmux_relay.py")
# Runs the relay, in the second case as where there are no file descriptors of processes.
START = {
    "pidfd": "import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')",
    "no pidfd": "import os, runpy, sys; del os.pidfd_open; runpy.run_path(sys.argv.pop(1), run_name='__main__')",
}
# Says that it runs, and notes that it was asked to end; a terminal that goes is not its reason to.
STAYING = """
import pathlib, signal, sys, threading
over = threading.Event()
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: over.set())
print("it runs", flush=True)
while not over.wait(0.1):
    pass
pathlib.Path(sys.argv[1]).write_text("asked to end")
"""

both = pytest.mark.parametrize("way", START)


@contextlib.contextmanager
def relay(way: str, tmp_path: Path, **told: Any) -> Iterator[Terminal]:
    """Run the relay in a terminal, and tell it what tmux.py would."""
    if way == "pidfd" and not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no file descriptors of processes")
    path = str(tmp_path / "door")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(1)
        door.settimeout(PATIENCE)
        with Terminal([sys.executable, "-c", START[way], str(RELAY), path]) as terminal:
            caller, _ = door.accept()
            with caller:
                message = {"environment": dict(os.environ), "directory": str(tmp_path), **told}
                caller.sendall(json.dumps(message).encode())
            yield terminal


def press_enter(terminal: Terminal) -> None:
    """Press Enter until nothing runs any more: what is typed before the relay reads is thrown away."""

    def is_over() -> bool:
        with contextlib.suppress(OSError):  # the terminal has gone with the last process
            terminal.type("\n")
        return not terminal._running()

    assert wait_until(is_over, PATIENCE)


@both
def test_how_the_command_ended_stays_until_enter(way: str, tmp_path: Path) -> None:
    code = "import os, sys; print('in', os.getcwd()); sys.exit(3)"
    with relay(way, tmp_path, command=[sys.executable, "-c", code]) as terminal:
        terminal.wait_for(f"in {tmp_path}\n")
        terminal.wait_for("[ended with status 3; Enter closes this session]\n")
        press_enter(terminal)
        assert terminal.status() == 0


@both
def test_a_command_that_a_signal_ends_is_told_so(way: str, tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with relay(way, tmp_path, command=[sys.executable, "-c", code]) as terminal:
        terminal.wait_for("[ended by signal 9; Enter closes this session]\n")
        press_enter(terminal)
        assert terminal.status() == 0


@both
def test_who_closes_the_terminal_asks_the_command_to_end(way: str, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with relay(way, tmp_path, command=[sys.executable, "-c", STAYING, str(note)]) as terminal:
        terminal.wait_for("it runs\n")
        terminal.close()
        assert wait_until(note.exists, PATIENCE)
        assert terminal.has_ended()


@both
def test_sigterm_is_for_the_command(way: str, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with relay(way, tmp_path, command=[sys.executable, "-c", STAYING, str(note)]) as terminal:
        terminal.wait_for("it runs\n")
        terminal.terminate()
        terminal.wait_for("[ended with status 0; Enter closes this session]\n")
        assert note.read_text() == "asked to end"
        press_enter(terminal)
        assert terminal.status() == 0


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    with relay("no pidfd", tmp_path, command=["/no/such"]) as terminal:
        terminal.wait_for("[cannot be started here: [Errno 2] No such file or directory: '/no/such'; Enter closes")
        press_enter(terminal)
        assert terminal.status() == 0

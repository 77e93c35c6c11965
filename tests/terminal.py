"""A program in a terminal of its own, as a person has it: Ctrl-C is a key, and the terminal can be closed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from tests.waiting import wait_until

PATIENCE = 60.0  # s
# The shell of the terminal outlives the command: with the first process of a terminal the system would end all others,
# also those that the command has left behind.
_SHELL = 'trap : INT; "$@"; echo "[ended: $?]"; read -r _'


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Run a command in a new terminal; of the variables DRAGONFLY_* only those in `settings` are set."""

    def __init__(self, command: list[str], **settings: str) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("DRAGONFLY_")}
        self._keys, terminal = pty.openpty()
        self.shown = ""
        self._shell = subprocess.Popen(
            ["bash", "-c", _SHELL, "bash", *command],
            env={**env, **settings},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(terminal)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._shell.wait(PATIENCE)

    def type(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    def terminate(self) -> None:
        """Send SIGTERM to the command, and to nothing that it has started."""
        os.kill(self._command(), signal.SIGTERM)

    def close(self) -> None:
        """Close the terminal, as by its window's button."""
        if self._keys >= 0:
            os.close(self._keys)
        self._keys = -1

    def wait_for(self, text: str) -> None:
        """Wait until a text is shown."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert self._read() and time.monotonic() < deadline, f"{text!r} is not in {self.shown}"

    def status(self) -> int:
        """Wait until the command has ended; return its status."""
        self.wait_for("[ended: ")
        self.wait_for("]\n")
        found = re.search(r"^\[ended: (\d+)\]$", self.shown, re.MULTILINE)
        assert found is not None
        return int(found[1])

    def has_ended(self) -> bool:
        """Wait, but not for long, until nothing that the command has started runs; return whether that is so."""
        return wait_until(lambda: not self._running())

    def _read(self) -> bool:
        """Read what is new; return whether more can come."""
        new = b""
        if select.select([self._keys], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # nobody writes to it any more
                new = os.read(self._keys, 1 << 16)
            if not new:
                return False
        self.shown += new.decode().replace("\r\n", "\n")
        return True

    def _running(self) -> list[int]:
        """Return who is in the session beside its shell; a zombie has ended."""
        rows = [row for row in _processes("sess", "pid", "stat") if row[0] == str(self._shell.pid) != row[1]]
        return [int(pid) for _session, pid, state in rows if not state.startswith("Z")]

    def _command(self) -> int:
        (found,) = [pid for parent, pid in _processes("ppid", "pid") if parent == str(self._shell.pid)]
        return int(found)


def _processes(*columns: str) -> list[list[str]]:
    words = [word for column in columns for word in ("-o", f"{column}=")]
    listed = subprocess.run(["ps", "-e", *words], capture_output=True, text=True, check=True)
    return [line.split() for line in listed.stdout.splitlines()]

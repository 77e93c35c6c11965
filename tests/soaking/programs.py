"""The programs of a soak, each a process of its own that can be killed, stopped for a while, and started again."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from signal import SIGCONT, SIGTERM, Signals
from typing import IO

from dragonfly.testing.processes import Keeper, end
from tests.mesh.program import environment

_PATIENCE = 15.0


class SoakProgram:
    """One program.

    Args:
        name: what it is called.
        words: the command.
        directory: where its log goes.
        family: ends it when this process is gone.
        reads: whether its stdout is to be read here; else it goes to the log.
    """

    def __init__(self, name: str, words: list[str], directory: Path, family: Family, reads: bool = False) -> None:
        self.name = name
        self._words = words
        self._log = directory / f"{name}.log"
        self._family = family
        self._reads = reads
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        # Whether somebody has ended it on purpose.
        self.is_ended = False

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def stdout(self) -> IO[bytes]:
        """What it prints."""
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout

    @property
    def status(self) -> int | None:
        """How it ended, where it has."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it; a Ctrl-C does not reach it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._words,
                env=environment("127.0.0.1:1"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._reads else log,
                stderr=log,
                start_new_session=True,
                cwd=Path(__file__).parents[2],
            )
        self.started = time.monotonic()
        self.is_ended = False
        self._family.add(self)

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: Signals) -> None:
        """End it by a signal, and wait for that."""
        self.is_ended = True
        if self._process is not None:
            end(self._process, number, _PATIENCE)
            self._family.remove(self)

    def log_lines(self, count: int) -> list[str]:
        """Return the last lines of its log."""
        return self._log.read_text(errors="replace").splitlines()[-count:]


class Family:
    """All programs that run, which end with this process, however that ends; their directory goes with them."""

    def __init__(self, directory: Path) -> None:
        self._keeper = Keeper(directory)
        self._lock = threading.Lock()
        self._members: dict[int, SoakProgram] = {}

    def add(self, program: SoakProgram) -> None:
        """Take in one that was started."""
        with self._lock:
            self._members[program.pid] = program
            self._keeper.watch(self._members)

    def remove(self, program: SoakProgram) -> None:
        """Let go one that has ended."""
        with self._lock:
            self._members.pop(program.pid, None)
            self._keeper.watch(self._members)

    def close(self) -> None:
        """End all, and remove the directory."""
        for program in list(self._members.values()):
            program.signal(SIGCONT)
            program.signal(SIGTERM)
        for program in list(self._members.values()):
            program.end(SIGTERM)
        self._keeper.close()

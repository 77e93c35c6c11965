"""The processes that a benchmark starts: each ends with the benchmark, however that ends.

Rules:
1. They are in sessions of their own: a Ctrl-C reaches the benchmark alone, which then ends them one by one.
2. The system kills them when the benchmark is gone without a word, or in the middle of a start (PR_SET_PDEATHSIG, see
   prctl(2); a benchmark reads /proc and so needs Linux in any case). It is the end of the thread that counts: they are
   started by the main thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from dragonfly.testing.processes import end

ROOT = Path(__file__).resolve().parents[2]
STOP_PATIENCE = 60.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _end_with(parent: int) -> None:
    """Have this process killed when its parent ends; in the child, before its program begins."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was too late to ask for that
        os._exit(1)


@contextmanager
def child(
    words: list[str],
    *,
    stop: signal.Signals = signal.SIGTERM,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Give a Python program that runs, and end it.

    Args:
        words: its command line after the interpreter.
        stop: the signal that ends it.
        stdin: as for Popen.
        stdout: as for Popen; the benchmark's stderr by default, since its own stdout is for tables.
        stderr: as for Popen.
    """
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdin=stdin,
        stdout=sys.stderr if stdout is None else stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=partial(_end_with, os.getpid()),
    )
    try:
        yield process
    finally:
        stop_child(process, stop)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def stop_child(process: subprocess.Popen[bytes], stop: signal.Signals = signal.SIGTERM) -> None:
    """End a child, where it has not ended; twice is harmless."""
    if process.returncode is None:
        end(process, stop, STOP_PATIENCE)


def wait_for_line(stream: IO[bytes] | None, text: str) -> str:
    """Read what a child says until a line has a text in it; return that line.

    Raises:
        RuntimeError: it ended before.
    """
    assert stream is not None
    said: list[str] = []
    for line in iter(stream.readline, b""):
        said.append(line.decode())
        if text in said[-1]:
            return said[-1]
    raise RuntimeError(f"it ended before it said {text!r}: {''.join(said)}")


class Worker:
    """A child that measures: it says `ready`, and then a number for each line that it is given."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        wait_for_line(process.stdout, "ready")

    def ask(self, line: str) -> float:
        """Return what it says to a line.

        Raises:
            RuntimeError: it ended.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()
        return float(wait_for_line(self._process.stdout, ""))


@contextmanager
def worker(words: list[str]) -> Iterator[Worker]:
    """Give a worker that is ready."""
    with child(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Worker(process)

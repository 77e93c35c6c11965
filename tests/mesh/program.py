"""The command line as a user has it: real processes, what they print, how they end."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import IO, NamedTuple

DRAGONFLY = [sys.executable, "-m", "dragonfly"]
STAMP = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"


class Ended(NamedTuple):
    """What a command printed and how it ended."""

    status: int
    stdout: str
    stderr: str
    seconds: float


def environment(address: str) -> dict[str, str]:
    """Return the environment of a user whose broker is at this address."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("DRAGONFLY_", "NO_COLOR"))}
    return {**env, "DRAGONFLY_BROKER": address, "COLUMNS": "80"}


def dragonfly(
    address: str, *words: str, timeout: float = 30.0, text: str | None = None, program: list[str] = DRAGONFLY
) -> Ended:
    """Run a command to its end; `program` is what comes before the words."""
    began = time.monotonic()
    done = subprocess.run(
        [*program, *words], env=environment(address), capture_output=True, text=True, timeout=timeout, input=text
    )
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


class Program:
    """A command that runs until it is told to end.

    Args:
        address: HOST:PORT of the broker that the environment names.
        words: the command line after `dragonfly`.
        program: what comes before the words.
    """

    def __init__(self, address: str, *words: str, program: list[str] = DRAGONFLY) -> None:
        self.process = subprocess.Popen(
            [*program, *words],
            env=environment(address),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self.stdout, self.stderr = "", ""
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self.process.stdout), ("stderr", self.process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self._finish()

    def wait_for(self, stream: str, pattern: str, timeout: float = 10.0) -> re.Match[str]:
        """Wait until a stream has printed what a pattern matches."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, getattr(self, stream))
            if match:
                return match
            left = deadline - time.monotonic()
            try:
                self._news.get(timeout=max(0.0, left))
            except queue.Empty:
                raise AssertionError(f"{pattern!r} is not in {stream}:\n{self.stdout}\n---\n{self.stderr}") from None

    def end(self, sent: signal.Signals = signal.SIGINT, timeout: float = 15.0) -> Ended:
        """Send a signal and wait for the end."""
        began = time.monotonic()
        self.process.send_signal(sent)
        return self.wait(timeout, began)

    def wait(self, timeout: float = 15.0, began: float | None = None) -> Ended:
        """Wait for the end."""
        began = time.monotonic() if began is None else began
        self.process.wait(timeout)
        seconds = time.monotonic() - began
        self._finish()
        return Ended(self.process.returncode, self.stdout, self.stderr, seconds)

    def _finish(self) -> None:
        self.process.wait()
        for reader in self._readers:
            reader.join()

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                setattr(self, name, getattr(self, name) + line)
                self._news.put(None)


def serve(address: str, config: str, *words: str) -> Program:
    """Start a service and wait until it listens."""
    program = Program(address, "serve", "-c", config, "-b", address, "-v", *words)
    program.wait_for("stderr", "starting event loop for node")
    return program

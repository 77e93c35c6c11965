"""What a process has in use, as the system tells it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.waiting import wait_until

# Idle threads of a pool end after 5 s, so what a moment of load needed is gone after this, s.
_REST = 15.0


class Usage(NamedTuple):
    """Threads, open files (sockets among them), and memory in MiB: what is in use now, and the most that ever was.

    It counts the memory that is the process's own and not a file's, since that alone grows where something is kept.
    """

    threads: int
    files: int
    memory: float
    peak: float

    @property
    def text(self) -> str:
        """What a figure says of it."""
        return f"{self.threads} threads, {self.files} files, {self.memory:.1f} MiB"


def usage_of(pid: int) -> Usage:
    """Return what a process has in use."""
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = {name: int(number) for name, number in re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE)}
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Usage(numbers["Threads"], files, numbers["RssAnon"] / 1024, numbers["VmHWM"] / 1024)


def assert_no_growth(pid: int, before: Usage, memory: float, threads: int = 0) -> Usage:
    """Check that a process has no more files than before, once it had its rest, and little more memory and threads.

    Args:
        pid: the process.
        before: what it had after its warm-up.
        memory: how much more it may have, MiB.
        threads: how many more of those that lanes borrow it may have.

    Returns:
        What it has now.
    """

    def rests() -> bool:
        now = usage_of(pid)
        return now.threads <= before.threads + threads and now.files <= before.files

    came_to_rest = wait_until(rests, _REST)
    now = usage_of(pid)
    assert came_to_rest, f"{before.text} before, {now.text} now"
    assert now.memory - before.memory < memory, f"{before.text} before, {now.text} now"
    return now

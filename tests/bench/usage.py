"""What a process has in use, as Linux tells it."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return how much processor time a process has used (s)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    user, system = fields[11:13]  # the 14th and 15th of all, see proc(5)
    return (int(user) + int(system)) / _TICKS


def resident(pid: int) -> float:
    """Return all memory that a process has in use (kB)."""
    return _status(pid, "VmRSS")


def own(pid: int) -> float:
    """Return the memory that is a process's own, and not a file's (kB)."""
    return _status(pid, "RssAnon")


def _status(pid: int, name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc/{pid}/status has no line {name}")
    return float(found[1])

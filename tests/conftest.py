"""What holds for every test: it leaves no thread and no socket behind; skipped ones are counted by reason."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 2.0
OPEN_FILES = Path("/proc/self/fd")


def open_sockets() -> set[str]:
    """Return the sockets that this process has open (nothing where the system has no /proc)."""
    found = set()
    for entry in OPEN_FILES.iterdir() if OPEN_FILES.is_dir() else ():
        try:
            target = os.readlink(entry)
        except OSError:  # it was closed since the directory was read
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def left_behind(threads: set[threading.Thread], sockets: set[str]) -> list[str]:
    """Return what is here now and was not among these, once it has had its time to end."""
    deadline = time.monotonic() + PATIENCE
    for thread in set(threading.enumerate()) - threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    while open_sockets() - sockets and time.monotonic() < deadline:
        time.sleep(0.02)
    alive = [f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads]
    return alive + sorted(open_sockets() - sockets)


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Fail the test that leaves a live thread or an open socket; what its fixtures started before is not its own."""
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    left = left_behind(threads, sockets)
    if left:
        pytest.fail(f"left behind: {', '.join(left)}", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each reason, not one for each test: without RabbitMQ hundreds are skipped for the same."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} skipped: {reason}")

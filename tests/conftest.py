"""What holds for every test: it leaves no thread and no socket behind; skipped ones are counted by reason.

Tests of faults have counts, which `--full` raises, and write what they measured to the file that `--figures` names.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.figures import Figure, write_down

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


class Counts(NamedTuple):
    """How much a test of faults does: a share that fits into every run, or all of it."""

    restarts: int
    messages: int


A_SHARE = Counts(restarts=5, messages=20_000)
ALL = Counts(restarts=100, messages=1_000_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the tests of faults."""
    group = parser.getgroup("faults")
    group.addoption("--full", action="store_true", help="the full counts of the tests of faults, which take hours")
    group.addoption("--figures", type=Path, help="file that gets what the tests of faults measure")


@pytest.fixture(scope="session")
def counts(pytestconfig: pytest.Config) -> Counts:
    """Give the counts of this run."""
    return ALL if pytestconfig.getoption("full") else A_SHARE


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Give what writes a figure down: topic, what was measured, and the value with its unit."""
    path = request.config.getoption("figures")
    full = " --full" if request.config.getoption("full") else ""
    name = getattr(request.node, "originalname", request.node.name)
    command = f"./tests/run.sh -n 0{full} -k {name}"

    def write(topic: str, what: str, value: str) -> None:
        print(f"{topic}: {what}: {value}")
        if path is not None:
            write_down(path, Figure(topic, what, value, command))

    return write


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each reason, not one for each test: without RabbitMQ hundreds are skipped for the same."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} skipped: {reason}")

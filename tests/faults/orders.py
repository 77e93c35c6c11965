"""Numbered sets of a valve: when each may start at the latest, when it did, and what its caller heard."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tests.mesh.program import Program, serve
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

TOPIC = "Commands: at most once, and never late"
CLOCK = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"
BOTH_CLOCKS = rf"its deadline is {CLOCK} by the caller's clock, and it is {CLOCK} by this machine's"
VALVE = Path(__file__).with_name("valve.py")
# The service's clock_tolerance in these tests, s: shorter than by default, so that they are sharper and shorter.
TOLERANCE = 0.2
# From the service's last look at a deadline to the first line of the handler, on a busy machine, s.
HAND_OVER = 0.1
LAB = """
name: lab
clock_tolerance: {tolerance}
heartbeat: {heartbeat}
endpoints:
  - {{name: valve, module: Valve, module_path: {module_path}, directory: {directory}}}
"""


def lab(directory: Path, heartbeat: float = 10.0) -> Path:
    """Write the file of a service with a valve; return its path."""
    config = directory / "lab.yaml"
    config.write_text(LAB.format(tolerance=TOLERANCE, heartbeat=heartbeat, module_path=VALVE, directory=directory))
    return config


@contextmanager
def serving(address: str, directory: Path) -> Iterator[Program]:
    """Have a service with a valve, which is there at the end, and stops in order."""
    with serve(address, str(lab(directory))) as program:
        yield program
        (directory / "open").touch()
        assert program.end().status == 0


def let_pass(seconds: float, since: float) -> None:
    """Wait until so many s are over since a monotonic time."""
    assert wait_until(lambda: time.monotonic() - since >= seconds, seconds + 1.0)


def runs(directory: Path) -> list[tuple[int, float]]:
    """Return number and time of each set that was run, in order."""
    file = directory / "runs"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(int(number), float(moment)) for number, moment in (line.split() for line in lines)]


class Verdict(NamedTuple):
    """What became of numbered sets: how many ran, how many did not, and how late the latest was, s."""

    run: int
    kept_back: int
    latest: float

    def __str__(self) -> str:
        when = f"{abs(self.latest):.2f} s {'after' if self.latest > 0 else 'before'} its deadline"
        return f"{self.run} ran, each once, the latest began {when}; {self.kept_back} came too late and did not run"


def judged(directory: Path, deadlines: dict[int, float]) -> Verdict:
    """Check that no set ran twice, and none after its deadline and the tolerance; say what became of them."""
    begun = [(number, moment) for number, moment in runs(directory) if number in deadlines]
    numbers = [number for number, _ in begun]
    assert len(set(numbers)) == len(numbers), f"twice: {sorted(n for n in set(numbers) if numbers.count(n) > 1)}"
    late = {number: moment - deadlines[number] for number, moment in begun}
    too_late = {number: seconds for number, seconds in late.items() if seconds > TOLERANCE + HAND_OVER}
    assert not too_late, f"started so many s after their deadlines: {too_late}"
    return Verdict(len(numbers), len(deadlines) - len(numbers), max(late.values()))


class Orders:
    """A bare client that gives numbered sets, and keeps what it said of each.

    Args:
        address: HOST:PORT of the broker.
        clock_error: how far its clock is ahead of the true one, s.
    """

    def __init__(self, address: str, clock_error: float = 0.0) -> None:
        self._raw = RawClient(address)
        self._clock_error = clock_error
        self._numbers: dict[str, int] = {}
        self.deadlines: dict[int, float] = {}
        self.replies: dict[int, dict[str, Any]] = {}

    def __enter__(self) -> Orders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._raw.__exit__(None, None, None)

    def give(self, number: int, timeout: float) -> None:
        """Send a set as a client does that waits `timeout` s for its reply."""
        moment = time.time()
        self.deadlines[number] = moment + timeout
        properties = self._raw.properties(
            expiration=str(round(timeout * 1000)),
            headers={"deadline": int((moment + timeout + self._clock_error) * 1000)},
        )
        body = {"msgtype": 3, "msgop": 0, "timestamp": "", "sender_info": {}, "payload": {"values": [number]}}
        self._numbers[self._raw.publish("valve", json.dumps(body).encode(), properties)] = number

    def give_all(self, numbers: range, shortest: float, longest: float) -> None:
        """Send many, whose timeouts lie evenly between two, in s."""
        step = (longest - shortest) / max(1, len(numbers) - 1)
        for index, number in enumerate(numbers):
            self.give(number, shortest + step * index)

    def hear(self, number: int, timeout: float = 15.0) -> dict[str, Any]:
        """Wait for the reply to a set and return it; others that come before are kept."""
        deadline = time.monotonic() + timeout
        while number not in self.replies:
            seen = self._raw.next(timeout=deadline - time.monotonic())
            assert seen is not None, f"no reply to {number}"
            self.replies[self._numbers[str(seen.properties.correlation_id)]] = json.loads(seen.body)
        return self.replies[number]

    def refusals(self) -> list[str]:
        """Return the texts of all that were answered that they came too late."""
        return [reply["return_msg"] for reply in self.replies.values() if reply["retcode"] == 305]

"""What the clients of a soak report: every reply matches its request, and none fails where nothing is disturbed."""

from __future__ import annotations

import json
import threading
from queue import Empty, SimpleQueue
from typing import Any

from tests.soaking.control import Control
from tests.soaking.programs import SoakProgram
from tests.soaking.violations import Violations
from tests.soaking.weather import Weather

# What a request may end in while something is disturbed: refused by the broker, no connection, nobody bound, too late,
# busy, shutting down.
EXPECTED = {100, 101, 102, 305, 320, 321}


class Clients:
    """Reads what the clients print.

    Args:
        weather: tells what was disturbed when.
        control: tells how fast the machine was.
        violations: takes what must not be.
    """

    def __init__(self, weather: Weather, control: Control, violations: Violations) -> None:
        self._weather = weather
        self._control = control
        self._violations = violations
        self._reports: SimpleQueue[tuple[str, dict[str, Any]]] = SimpleQueue()
        self._readers: list[threading.Thread] = []
        self.newest: dict[str, float] = {}
        self.answered = 0
        self.failed = 0
        # Failed in calm weather while the machine was slow.
        self.slow = 0

    def read(self, program: SoakProgram) -> None:
        """Read a client's lines until it ends."""
        reader = threading.Thread(target=self._read, args=(program,), name=f"reader of {program.name}", daemon=True)
        self._readers.append(reader)
        reader.start()

    def look(self) -> None:
        """Judge what came since the last look."""
        while True:
            try:
                name, report = self._reports.get_nowait()
            except Empty:
                return
            self.answered += report["ok"]
            self.failed += len(report["failures"])
            self.newest[name] = max(self.newest.get(name, 0.0), report["newest"])
            for text in report["wrong"]:
                self._violations.add("reply", f"{name}: {text}")
            for sent, ended, target, code, text in report["failures"]:
                self._judge(name, sent, ended, target, code, text)

    def finish(self) -> None:
        """Wait for the last lines of clients that have ended."""
        for reader in self._readers:
            reader.join(10.0)
        self.look()

    def _judge(self, name: str, sent: float, ended: float, target: str, code: int, text: str) -> None:
        if code not in EXPECTED:
            self._violations.add("error", f"{name}: {target} was answered with {code}: {text}")
        elif any(self._weather.was_disturbed(party, sent, ended) for party in (name, target.partition("_")[0], target)):
            return
        elif self._control.is_slow(sent, ended):
            self.slow += 1
        else:
            seconds = f"after {ended - sent:.2f} s, sent {sent:.2f}"
            self._violations.add("calm", f"{name}: {target} failed {seconds}, and nothing was wrong: {code}, {text}")

    def _read(self, program: SoakProgram) -> None:
        with program.stdout as lines:
            for line in lines:
                self._reports.put((program.name, json.loads(line)))

"""Each command runs at most once, and none starts late: what the endpoints wrote down is read all the time."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from pathlib import Path

from tests.soaking.asking import THREADS
from tests.soaking.violations import Violations

# The services' clock_tolerance, s.
TOLERANCE = 1.0
# A service that was stopped between its look at the deadline and the handler's own may have one such command a lane,
# which it writes down within this time after it goes on, s.
_GOES_ON = 0.5


class Commands:
    """Reads the ledgers of all services.

    Args:
        directory: where they are.
        violations: takes what must not be.
    """

    def __init__(self, directory: Path, violations: Violations) -> None:
        self._directory = directory
        self._violations = violations
        self._read: dict[Path, int] = defaultdict(int)
        # Which numbers ran, a byte each, by the thread that gave them.
        self._ran: dict[int, bytearray] = defaultdict(bytearray)
        self._woken: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        self.count = 0
        self.latest = -math.inf

    def went_on(self, service: str, moment: float) -> None:
        """Take note that a stopped service goes on (UTC, s)."""
        with self._lock:
            self._woken[service].append(moment)

    def look(self) -> None:
        """Read what was written since the last look."""
        for path in sorted(self._directory.glob("*.ledger")):
            with path.open("rb") as file:
                file.seek(self._read[path])
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read[path] += len(whole)
            for line in whole.splitlines():
                self._check(line.decode())

    def _check(self, line: str) -> None:
        word, started, deadline, target = line.split()
        number, begin = int(word), float(started)
        self.count += 1
        ran = self._ran[number % THREADS]
        index = number // THREADS
        if index >= len(ran):
            ran.extend(bytes(index + 10_000 - len(ran)))
        if ran[index]:
            self._violations.add("at most once", f"{target} ran command {number} a second time")
        ran[index] = 1
        late = begin - float(deadline)
        self.latest = max(self.latest, late)
        if late > TOLERANCE and not self._was_stopped(target, begin):
            self._violations.add("never late", f"{target} began command {number} {late:.2f} s after its deadline")

    def _was_stopped(self, target: str, began: float) -> bool:
        with self._lock:
            return any(0 <= began - moment + 0.01 <= _GOES_ON for moment in self._woken[target.partition("_")[0]])

"""Whether the processes of a soak grow: threads, open files (sockets among them) and memory, after warm-up and now."""

from __future__ import annotations

import time

from tests.faults.usage import Usage, usage_of
from tests.soaking.mesh import SENSORS, SoakMesh
from tests.soaking.violations import Violations

# What a process may have more than after its warm-up: threads of lanes that happen to be busy, files, and MiB.
THREADS, FILES, MEMORY = SENSORS, 2, 16.0


class Growth:
    """Compares what each process has in use with what it had after its warm-up.

    Args:
        mesh: whose programs are looked at.
        violations: takes what must not be.
        warm_up: the age from which a process counts, s.
    """

    def __init__(self, mesh: SoakMesh, violations: Violations, warm_up: float) -> None:
        self._mesh = mesh
        self._violations = violations
        self._warm_up = warm_up
        self._before: dict[int, Usage] = {}
        # The most that one had more, and how many were compared.
        self.threads, self.files, self.memory, self.compared = 0, 0, 0.0, 0

    def look(self) -> None:
        """Take note of those that have warmed up since the last look; in calm weather."""
        for program in self._mesh.programs.values():
            if program.status is None and time.monotonic() - program.started > self._warm_up:
                self._before.setdefault(program.pid, usage_of(program.pid))

    def check(self) -> None:
        """Compare all that had warmed up."""
        for program in self._mesh.programs.values():
            before = self._before.get(program.pid)
            if before is None or program.status is not None:
                continue
            now = usage_of(program.pid)
            more = (now.threads - before.threads, now.files - before.files, now.memory - before.memory)
            self.threads, self.files = max(self.threads, more[0]), max(self.files, more[1])
            self.memory = max(self.memory, more[2])
            self.compared += 1
            if more[0] > THREADS or more[1] > FILES or more[2] > MEMORY:
                self._violations.add(
                    "growth", f"{program.name}: {before.text} after its warm-up, {now.text} at the end"
                )

"""The results file of a run of benchmarks, as `python -m tests.bench --json FILE` writes it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Point = tuple[int, Row]


@dataclass(frozen=True)
class Run:
    """What a results file holds.

    Args:
        about: on what was measured, and how.
        benchmarks: what each benchmark gave, by its name.
    """

    about: dict[str, Any]
    benchmarks: dict[str, Any]

    def rows(self, benchmark: str) -> list[Row]:
        """Return the rows of a benchmark, as `comparison.Row.as_dict` made them."""
        rows: list[Row] = self.benchmarks[benchmark]["rows"]
        return rows

    def series(self, benchmark: str, begins: str, what: str) -> list[Point]:
        """Return those rows that differ in a number of something only, with the number, by the number.

        Args:
            benchmark: its name.
            begins: what their names begin with, before a comma.
            what: the word after the number.

        Raises:
            LookupError: there are none.
        """
        pattern = re.compile(rf"{re.escape(begins)}, (\d+) {what}\b")
        found = [(pattern.match(row["name"]), row) for row in self.rows(benchmark)]
        points = [(int(match[1]), row) for match, row in found if match]
        if not points:
            raise LookupError(f"{benchmark} has no rows '{begins}, NUMBER {what}'")
        return sorted(points, key=lambda point: point[0])

    @property
    def digest(self) -> str:
        """A word that is another one for other figures."""
        return hashlib.sha256(json.dumps(self.benchmarks, sort_keys=True).encode()).hexdigest()[:16]


def read(path: Path) -> Run:
    """Return what a results file holds."""
    about = json.loads(path.read_text(encoding="utf-8"))
    return Run(about, about.pop("benchmarks"))

"""The results file of a run of benchmarks, as `python -m tests.bench --json FILE` writes it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.setting import ROUNDS

Row = dict[str, Any]
Point = tuple[int, Row]


@dataclass(frozen=True)
class Run:
    """What a results file holds.

    Args:
        benchmarks: what each benchmark gave, by its name, and under what conditions: not all need be of one run.
    """

    benchmarks: dict[str, Any]

    def rows(self, benchmark: str) -> list[Row]:
        """Return the rows of a benchmark, as `comparison.Row.as_dict` made them."""
        rows: list[Row] = self.benchmarks[benchmark]["rows"]
        return rows

    def about(self, benchmark: str) -> dict[str, Any]:
        """Return on what a benchmark was run, and how."""
        about: dict[str, Any] = self.benchmarks[benchmark]["about"]
        return about

    def is_brief(self, benchmark: str) -> bool:
        """Whether a benchmark was too short for its figures to mean anything."""
        about = self.about(benchmark)
        return bool(about["brief"] or about["rounds"] < ROUNDS)

    def series(self, benchmark: str, begins: str, what: str) -> list[Point]:
        """Return those rows that differ in a number of something only, with the number, by the number.

        Args:
            benchmark: its name.
            begins: what their names begin with, before a comma.
            what: the word after the number, in the plural.

        Raises:
            LookupError: there are none.
        """
        pattern = re.compile(rf"{re.escape(begins)}, (\d+) {what.removesuffix('s')}s?\b")
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
    return Run(json.loads(path.read_text(encoding="utf-8"))["benchmarks"])

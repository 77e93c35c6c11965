"""Make the tables and drawings of the page docs/explanations/performance: python -m tests.bench.page FILE.

FILE is what `python -m tests.bench --json FILE` wrote. All goes to the folder that it is in: tables and sentences as
reStructuredText that the page includes, drawings as SVG. The page has no figure of its own, so that a new run changes
all of them; they are committed, so that building the docs needs neither a run nor what draws.

Rules:
1. A file may hold benchmarks of several runs. Each has its own conditions, and the page tells them apart.
2. What is of a brief run is said to be, below its table; its targets have no verdict.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.bench import BENCHMARKS, hops
from tests.bench.results import Row, Run, read

EMBEDDED, PEERS = "embedded", "peers"
REACHED, NOT_REACHED, NOT_JUDGED = "reached", "**not reached**", "not judged"
# The tables of whole benchmarks: by the name of the table's file.
_OF_BENCHMARKS = {
    "growth": ("growth",),
    "start_up": ("start_up",),
    "scaling": ("services", "clients"),
    EMBEDDED: (EMBEDDED,),
    PEERS: (PEERS,),
    "others": ("sequential_get", "set_log_on_set", "alerts_out", "monitor", "alert_consumer"),
}
# Their targets stand in tables of their own.
_WITHOUT_TARGETS_HERE = (EMBEDDED, PEERS)
_HEADS = {EMBEDDED: ("embedded", "RabbitMQ"), PEERS: ("dragonfly", "the other")}
_WIDTHS, _TARGET_WIDTHS, _STEP_WIDTHS = (40, 18, 18, 24), (26, 18, 14, 13, 11, 18), (50, 24, 26)
_OPTION = re.compile(r"(?<!\S)--?\w+")
Cells = list[str]


def tables(run: Run) -> dict[str, str]:
    """Return the files of the page, without the drawings: what is in each, by its name.

    Raises:
        LookupError: the run lacks a benchmark.
    """
    _check_complete(run)
    whole = {f"{name}.inc": _of_benchmarks(run, name, benchmarks) for name, benchmarks in _OF_BENCHMARKS.items()}
    return whole | {
        "conditions.inc": _conditions(run),
        "verdict.inc": _verdict(run),
        "targets.inc": _table(
            [["what", "dragonfly / floor", "ratio", "target", "verdict", "command"], *_targets(run)], _TARGET_WIDTHS
        ),
        "steps.inc": _table([["what has been done", "took", "since it was read"], *_steps(run)], _STEP_WIDTHS)
        + _below(run, ["hops"]),
    }


def _check_complete(run: Run) -> None:
    missing = [name for name in BENCHMARKS if name not in run.benchmarks]
    if missing:
        raise LookupError(
            f"it has no figures of {', '.join(missing)}: python -m tests.bench {' '.join(missing)} --json FILE --add"
        )


def _of_benchmarks(run: Run, name: str, benchmarks: Sequence[str]) -> str:
    rows = [_measured(row) for benchmark in benchmarks for row in run.rows(benchmark)]
    if not rows:  # a table without rows is an error of the page
        return f"None of them was installed in this run of {_command(benchmarks)}.\n"
    head = ["what", *_HEADS.get(name, ("dragonfly", "floor")), "ratio"]
    return _table([head, *rows], _WIDTHS) + _below(run, benchmarks)


def _below(run: Run, names: Sequence[str]) -> str:
    """Return what stands below a table: what repeats it, and which of it is of a brief run."""
    text = f"\nRepeated with {_command(names)}.\n"
    brief = [name for name in names if run.is_brief(name)]
    if not brief:
        return text
    if len(brief) == len(names):
        return f"{text}All of it is of a brief run: its figures mean nothing.\n"
    return f"{text}Of a brief run, whose figures mean nothing: {_listed(brief)}.\n"


def _targets(run: Run) -> list[Cells]:
    names = [name for name in BENCHMARKS if name not in _WITHOUT_TARGETS_HERE]
    rows = [(name, row) for name in names for row in run.rows(name) if row["target"]]
    return [*(_target(run, name, row) for name, row in rows), _embedded_target(run)]


def _target(run: Run, name: str, row: Row) -> Cells:
    what, figures, ratio = _beside(row)
    # A target that is no ratio is one of the product's figure alone.
    shown = ratio if row["target"].endswith(" x") else ""
    return [what, figures, shown, row["target"], _judged(run, name, row["reached"]), _command([name])]


def _embedded_target(run: Run) -> Cells:
    rows = run.rows(EMBEDDED)
    reached = sum(row["reached"] for row in rows)
    what = f"the embedded broker is no slower than RabbitMQ: {reached} of {len(rows)} loads"
    verdict = _judged(run, EMBEDDED, reached == len(rows))
    return [what, "", "", f"{len(rows)} of {len(rows)}", verdict, _command([EMBEDDED])]


def _judged(run: Run, benchmark: str, reached: bool) -> str:
    if run.is_brief(benchmark):
        return NOT_JUDGED
    return REACHED if reached else NOT_REACHED


def _steps(run: Run) -> list[Cells]:
    lines, since = [], 0.0
    for row in run.rows("hops"):
        if row["name"].startswith(hops.STEP):
            since += row["product"]
            lines.append([_step(row), _figure(row["product"], "us"), _figure(since, "us")])
    lines += [[row["name"], _figure(row["product"], "us"), ""] for row in steps_outside(run)]
    lines += [[*_beside(row)[:2], ""] for row in run.rows("hops") if row["floor"] is not None]
    return lines


def steps_outside(run: Run) -> list[Row]:
    """Return the rows of the parts of a get that are not in its service, and of what a stamp costs."""
    names = (hops.OUTSIDE, hops.CLIENT, hops.STAMP)
    return [row for row in run.rows("hops") if row["name"] in names]


def _step(row: Row) -> str:
    return str(row["name"].partition(", ")[2])


def _conditions(run: Run) -> str:
    """Return when and on what was measured; where the benchmarks differ, for each of them."""
    groups: dict[str, list[str]] = {}
    for name in BENCHMARKS:
        groups.setdefault(_measured_on(run.about(name)), []).append(name)
    if len(groups) == 1:
        (on,) = groups
        text = f"Measured {_when(run, BENCHMARKS)}, {on}.\n"
    else:
        lines = (f"- {_listed(names)}: {_when(run, names)}, {on}\n" for on, names in groups.items())
        text = f"Measured in several runs:\n\n{''.join(lines)}"
    return text + _warning([name for name in BENCHMARKS if run.is_brief(name)])


def _measured_on(about: dict[str, Any]) -> str:
    brief = "; a brief run" if about["brief"] else ""
    return (
        f"on {about['cores']} cores ({about['system']}), with dragonfly {about['dragonfly']}, "
        f"Python {about['python']}, pika {about['pika']} and {about['server']}; rounds: {about['rounds']}{brief}"
    )


def _when(run: Run, names: Iterable[str]) -> str:
    days = sorted({run.benchmarks[name]["date"] for name in names})
    return f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"


def _warning(brief: Sequence[str]) -> str:
    if not brief:
        return ""
    whose = "These figures" if len(brief) == len(BENCHMARKS) else f"The figures of {_listed(brief)}"
    return (
        f"\n.. warning::\n\n   {whose} are those of a brief run: of small loads, or of few rounds.\n"
        "   They show that all of it is measured, and mean nothing as times. Their targets are not judged.\n"
    )


def _verdict(run: Run) -> str:
    lines = _targets(run)
    judged = [line for line in lines if NOT_JUDGED not in line]
    missed = [line for line in judged if NOT_REACHED in line]
    if not judged:
        return "No target is judged: all figures are of a brief run.\n"
    text = f"{len(judged) - len(missed)} of {len(judged)} targets are reached."
    if len(judged) < len(lines):
        text += f" Not judged, since their figures are of a brief run: {len(lines) - len(judged)}."
    names = "".join(f"* {_said(*line[:4])}\n" for line in missed)
    return f"{text} Not reached:\n\n{names}" if missed else f"{text}\n"


def _said(name: str, figures: str, ratio: str, target: str) -> str:
    measured = ratio or figures.partition(" / ")[0]
    return f"{name}: {measured}, to be {target}" if measured else name


def _beside(row: Row) -> Cells:
    """Return the name of a row, the two figures in one cell, and the ratio."""
    name, product, floor, ratio = _measured(row)
    return [name, " / ".join(figure for figure in (product, floor) if figure), ratio]


def _measured(row: Row) -> Cells:
    floor = "" if row["floor"] is None else _figure(row["floor"], row["unit"])
    name = _OPTION.sub(r"``\g<0>``", row["name"])
    return [name, _figure(row["product"], row["unit"]), floor, _ratio(row)]


def _ratio(row: Row) -> str:
    if row["ratio"] is None:
        return ""
    if len(row["rounds"]["product"]) == 1:
        return f"{row['ratio']:.2f} (one round)"
    return f"{row['ratio']:.2f} ({row['ratio_min']:.2f} to {row['ratio_max']:.2f})"


def _figure(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {'µs' if unit == 'us' else unit}"


def _command(names: Iterable[str]) -> str:
    return f"``python -m tests.bench {' '.join(names)}``"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"``{name}``" for name in names)


def _table(lines: Iterable[Cells], widths: Iterable[int]) -> str:
    """Return a table whose first line is its head."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    options = f"   :header-rows: 1\n   :widths: {' '.join(map(str, widths))}\n"
    return f".. csv-table::\n{options}\n{textwrap.indent(text.getvalue(), '   ')}"


def main(path: Path) -> None:
    """Write all files of the page beside the results file."""
    try:
        from tests.bench.plots import drawings
    except ImportError as err:
        sys.exit(f"{err}: python -m pip install -r tests/bench/requirements.txt")
    run = read(path)
    try:
        files = tables(run) | drawings(run)
    except LookupError as err:
        sys.exit(f"{path}: {err}")
    for name, text in files.items():
        path.with_name(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.bench.page FILE")
    main(Path(sys.argv[1]))

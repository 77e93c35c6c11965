"""Make the tables and drawings of the page docs/explanations/performance: python -m tests.bench.page FILE.

FILE is what `python -m tests.bench --json FILE` wrote. All goes to the folder that it is in: tables as CSV, sentences
as reStructuredText that the page includes, drawings as SVG. The page has no figure of its own, so that a new run
changes all of them; they are committed, so that building the docs needs neither a run nor what draws.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench import BENCHMARKS, hops
from tests.bench.results import Row, Run, read
from tests.bench.setting import ROUNDS

EMBEDDED = "embedded"
REACHED, NOT_REACHED = "reached", "**not reached**"
# The tables of whole benchmarks: by the name of the table's file.
_OF_BENCHMARKS = {
    "growth": ("growth",),
    "start_up": ("start_up",),
    "scaling": ("services", "clients"),
    "embedded": (EMBEDDED,),
    "peers": ("peers",),
    "others": ("sequential_get", "set_log_on_set", "alerts_out", "monitor", "alert_consumer"),
}
# Their targets stand in tables of their own.
_WITHOUT_TARGETS_HERE = (EMBEDDED, "peers")
_HEADS = {EMBEDDED: ("embedded", "RabbitMQ"), "peers": ("dragonfly", "the other")}
_OPTION = re.compile(r"(?<!\S)--?\w+")
Cells = list[str]


def tables(run: Run) -> dict[str, str]:
    """Return the files of the page, without the drawings: what is in each, by its name.

    Raises:
        LookupError: the run lacks a benchmark.
    """
    _check_complete(run)
    whole = {
        f"{name}.csv": _csv([_head(name), *_of_benchmarks(run, benchmarks)])
        for name, benchmarks in _OF_BENCHMARKS.items()
    }
    return whole | {
        "conditions.inc": _conditions(run),
        "verdict.inc": _verdict(run),
        "targets.csv": _csv([["what", "dragonfly / floor", "ratio", "target", "", "command"], *_targets(run)]),
        "steps.csv": _csv([["what has been done", "took", "since it was read", "command"], *_steps(run)]),
    }


def _check_complete(run: Run) -> None:
    missing = [name for name in BENCHMARKS if name not in run.benchmarks]
    if missing:
        raise LookupError(
            f"it has no figures of {', '.join(missing)}: python -m tests.bench {' '.join(missing)} --json FILE --add"
        )


def _head(name: str) -> Cells:
    return ["what", *_HEADS.get(name, ("dragonfly", "floor")), "ratio", "command"]


def _of_benchmarks(run: Run, names: Iterable[str]) -> list[Cells]:
    rows = [(name, row) for name in names for row in run.rows(name)]
    if not rows:  # a table without rows is an error of the page
        return [["nothing of it was installed", "", "", "", _command(names)]]
    return [[*_measured(row), _command([name])] for name, row in rows]


def _targets(run: Run) -> list[Cells]:
    lines = [
        [*_beside(row), row["target"], REACHED if row["reached"] else NOT_REACHED, _command([name])]
        for name, row in _rows_with_targets(run)
    ]
    return [*lines, _embedded_target(run)]


def _rows_with_targets(run: Run) -> list[tuple[str, Row]]:
    names = [name for name in BENCHMARKS if name not in _WITHOUT_TARGETS_HERE]
    return [(name, row) for name in names for row in run.rows(name) if row["target"]]


def _embedded_target(run: Run) -> Cells:
    rows = run.rows(EMBEDDED)
    reached = sum(row["reached"] for row in rows)
    what = f"the embedded broker is no slower than RabbitMQ: {reached} of {len(rows)} loads"
    verdict = REACHED if reached == len(rows) else NOT_REACHED
    return [what, "", "", f"{len(rows)} of {len(rows)}", verdict, _command([EMBEDDED])]


def _steps(run: Run) -> list[Cells]:
    lines, since = [], 0.0
    for row in run.rows("hops"):
        if row["name"].startswith(hops.STEP):
            since += row["product"]
            lines.append([_step(row), _figure(row["product"], "us"), _figure(since, "us")])
    lines += [[row["name"], _figure(row["product"], "us"), ""] for row in steps_outside(run)]
    for row in run.rows("hops"):
        if row["floor"] is not None:
            lines.append([*_beside(row)[:2], ""])
    return [[*line, _command(["hops"])] for line in lines]


def steps_outside(run: Run) -> list[Row]:
    """Return the rows of the parts of a get that are not in its service, and of what a stamp costs."""
    names = (hops.OUTSIDE, hops.CLIENT, hops.STAMP)
    return [row for row in run.rows("hops") if row["name"] in names]


def _step(row: Row) -> str:
    return str(row["name"].partition(", ")[2])


def _conditions(run: Run) -> str:
    about = run.about
    days = sorted({benchmark["date"] for benchmark in run.benchmarks.values()})
    when = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
    text = (
        f"Measured {when}, on {about['cores']} cores ({about['system']}), with Python {about['python']}, "
        f"pika {about['pika']} and {about['server']}; rounds: {about['rounds']}.\n"
    )
    if about["brief"] or about["rounds"] < ROUNDS:
        text += (
            "\n.. warning::\n\n   These figures are those of a brief run. They show that all of them are measured, and "
            "mean nothing as times;\n   nor do the verdicts.\n"
        )
    return text


def _verdict(run: Run) -> str:
    lines = _targets(run)
    missed = [line for line in lines if NOT_REACHED in line]
    text = f"{len(lines) - len(missed)} of {len(lines)} targets are reached."
    if not missed:
        return f"{text}\n"
    names = "".join(f"* {_said(*line[:4])}\n" for line in missed)
    return f"{text} Not reached:\n\n{names}"


def _said(name: str, figures: str, ratio: str, target: str) -> str:
    measured = ratio or figures
    return f"{name}: {measured}, to be {target}" if measured else name


def _beside(row: Row) -> Cells:
    """Return the name of a row, the two figures in one cell, and the ratio."""
    name, product, floor, ratio = _measured(row)
    return [name, " / ".join(figure for figure in (product, floor) if figure), ratio]


def _measured(row: Row) -> Cells:
    ratio = ""
    if row["ratio"] is not None:
        ratio = f"{row['ratio']:.2f} ({row['ratio_min']:.2f} to {row['ratio_max']:.2f})"
    floor = "" if row["floor"] is None else _figure(row["floor"], row["unit"])
    return [_OPTION.sub(r"``\g<0>``", row["name"]), _figure(row["product"], row["unit"]), floor, ratio]


def _figure(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {'µs' if unit == 'us' else unit}"


def _command(names: Iterable[str]) -> str:
    return f"``python -m tests.bench {' '.join(names)}``"


def _csv(lines: Iterable[Cells]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


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

"""The drawings of the page docs/explanations/performance, made with matplotlib from a results file.

Rules:
1. The same figures give the same bytes: no date, no identifiers at random. The digest of the figures is in each file,
   so that a test sees a drawing of other figures than those that lie beside it.
2. They bring a white ground of their own, so that they can be read in a light and in a dark page.
3. Letters stay letters: small files, in the reader's own font.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from statistics import median
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from tests.bench import growth, hops
from tests.bench.page import steps_outside
from tests.bench.results import Point, Row, Run

_PRODUCT, _FLOOR, _OUTSIDE, _INK = "#1d5fa6", "#c2611a", "#8a8a8a", "#333333"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "dragonfly",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
}
_WIDTH, _HEIGHT = 7.5, 3.0  # inches
_LOGARITHMIC = "{}, logarithmic scale"
# What a reader's font may take more than ours, at the left where labels begin: a part of the width.
_ROOM = 0.03


def drawings(run: Run) -> dict[str, str]:
    """Return all drawings: what is in each file, by its name.

    Raises:
        LookupError: the run lacks what one of them shows.
    """
    with matplotlib.rc_context(_STYLE):
        figures = {
            "steps": _steps(run),
            "growth_endpoints": _growth(run, growth.ENDPOINTS),
            "growth_size": _growth(run, growth.BYTES, logarithmic=True),
            "growth_clients": _one(run, "growth", (growth.AT_ONCE, growth.CLIENTS), "gets a second"),
            "services": _one(run, "services", ("pipelined get", "services"), "gets a second, pipelined"),
            "start_up": _one(
                run, "start_up", ("start-up until all answer", "endpoints"), "ms until all answer", logarithmic=True
            ),
        }
        return {f"{name}.svg": _svg(figure, run.digest) for name, figure in figures.items()}


def _growth(run: Run, what: str, *, logarithmic: bool = False) -> Figure:
    figure, (left, right) = _panels(2)
    for axes, way, unit in (
        (left, growth.SEQUENTIAL, "µs a get, one in flight"),
        (right, growth.PIPELINED, "gets a second, pipelined"),
    ):
        _lines(axes, run.series("growth", way, what), what, unit, logarithmic)
    _legend(figure, left, run.is_brief("growth"))
    return figure


def _one(run: Run, benchmark: str, series: tuple[str, str], unit: str, *, logarithmic: bool = False) -> Figure:
    figure, (axes,) = _panels(1)
    _lines(axes, run.series(benchmark, *series), series[1], unit, logarithmic)
    _legend(figure, axes, run.is_brief(benchmark))
    return figure


def _legend(figure: Figure, axes: Axes, brief: bool) -> None:
    """Say above a drawing what is what, and whether its figures mean anything."""
    title = "of a brief run: its figures mean nothing" if brief else None
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, title=title)


def _panels(number: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    return figure, figure.subplots(1, number, squeeze=False)[0]


def _lines(axes: Axes, points: list[Point], what: str, unit: str, logarithmic: bool) -> None:
    """Draw the product's figures and the floor's over a number, with the smallest and the largest of the rounds."""
    numbers = [number for number, _ in points]
    for who, label, colour, form in (("product", "dragonfly", _PRODUCT, "o-"), ("floor", "floor", _FLOOR, "s--")):
        rounds = [row["rounds"][who] for _, row in points]
        middle = [median(each) for each in rounds]
        below = [value - min(each) for value, each in zip(middle, rounds, strict=True)]
        above = [max(each) - value for value, each in zip(middle, rounds, strict=True)]
        axes.errorbar(numbers, middle, (below, above), fmt=form, color=colour, label=label, markersize=4, capsize=2)
    axes.margins(y=0.08)
    axes.set_xscale("log")
    axes.set_xticks(numbers, [_short(number) for number in numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(_LOGARITHMIC.format(what))
    axes.set_ylabel(f"{unit}\n(logarithmic scale)" if logarithmic else unit)
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(number: float) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size and number % (size / 100) == 0:
            return f"{number / size:g} {letter}"
    return f"{number:,g}"


def _steps(run: Run) -> Figure:
    """Draw what each step of a get takes, from above in the order in which they come."""
    inside = [row for row in run.rows("hops") if row["name"].startswith(hops.STEP)]
    outside = [row for row in steps_outside(run) if row["name"] != hops.STAMP]
    rows = len(inside) + len(outside)
    figure = Figure(figsize=(_WIDTH, 0.3 * rows + 1.0), layout=ConstrainedLayoutEngine(rect=(_ROOM, 0, 1 - _ROOM, 1)))
    axes = figure.subplots()
    for part, label, colour in ((inside, "in the service", _PRODUCT), (outside, "outside it", _OUTSIDE)):
        bars = axes.barh([_label(row) for row in part], [row["product"] for row in part], color=colour, label=label)
        axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.margins(x=0.1)  # for the figure at the longest bar
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("µs")
    _legend(figure, axes, run.is_brief("hops"))
    return figure


def _label(row: Row) -> str:
    name: str = row["name"]
    return name.partition(", ")[2] if name.startswith(hops.STEP) else name.partition(":")[0]


def _svg(figure: Figure, digest: str) -> str:
    text = io.StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None, "Description": f"figures {digest}"}
    figure.savefig(text, format="svg", metadata=metadata)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"

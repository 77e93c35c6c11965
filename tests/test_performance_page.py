"""The page of performance: what lies there is made of the results file beside it, and a new run changes all of it."""

from __future__ import annotations

import copy
import csv
import io
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bench import BENCHMARKS, page
from tests.bench.results import Run, read

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "docs" / "explanations" / "performance"
PAGE = FILES.with_suffix(".rst")
FIGURES = FILES / "figures.json"
DRAWS = find_spec("matplotlib") is not None
NOT_INSTALLED = "matplotlib is not installed: python -m pip install -r tests/bench/requirements.txt"


@pytest.fixture
def run() -> Run:
    return copy.deepcopy(read(FIGURES))


def lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def change(run: Run, benchmark: str, begins: str, **fields: object) -> None:
    """Change the rows of a benchmark whose names begin with something."""
    rows = [row for row in run.rows(benchmark) if row["name"].startswith(begins)]
    assert rows
    for row in rows:
        row.update(fields)


def draw(directory: Path) -> dict[str, str]:
    """Return what the command makes of the committed figures: the drawings by their names."""
    directory.mkdir()
    figures = directory / FIGURES.name
    figures.write_bytes(FIGURES.read_bytes())
    # In a process of its own: what matplotlib warns of is no matter of ours. Its cache goes with the test.
    environment = os.environ | {"MPLCONFIGDIR": str(directory)}
    words = [sys.executable, "-m", "tests.bench.page", str(figures)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.svg")}


def test_what_the_page_shows_is_made_of_the_figures_beside_it(run: Run) -> None:
    made = page.tables(run)
    assert {name: (FILES / name).read_text(encoding="utf-8") for name in made} == made
    for drawing in FILES.glob("*.svg"):
        assert f"figures {run.digest}" in drawing.read_text(encoding="utf-8"), f"{drawing.name} is of other figures"


def test_the_page_shows_all_that_lies_there_and_has_no_figure_of_its_own() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = set(re.findall(r"performance/([\w.]+)", text))
    assert shown == {path.name for path in FILES.iterdir()}
    prose = re.sub(r"^ +:.*$|``.*?``", "", text, flags=re.MULTILINE)
    assert re.findall(r"\d[\d.,]* ?(?:µs|us|ms|/s|kB to|%|x\b)", prose) == []


def test_each_figure_has_the_command_that_repeats_it(run: Run) -> None:
    for name, text in page.tables(run).items():
        if name.endswith(".csv"):
            for line in lines(text)[1:]:
                words = re.fullmatch(r"``python -m tests\.bench ([a-z_ ]+)``", line[-1])
                assert words and set(words[1].split()) <= set(BENCHMARKS), (name, line)


def test_no_row_of_a_run_is_left_out(run: Run) -> None:
    cells = {line[0].replace("`", "") for text in page.tables(run).values() for line in lines(text) if line}
    steps = {row["name"] for row in run.rows("hops") if row["name"].startswith("step ")}
    rows = {row["name"] for name in BENCHMARKS for row in run.rows(name)} - steps
    assert rows <= cells
    assert {name.partition(", ")[2] for name in steps} <= cells


def test_a_target_that_is_missed_is_said_in_the_table_and_in_the_sentence(run: Run) -> None:
    for name in BENCHMARKS:
        for row in run.rows(name):
            row["reached"] = None if row["target"] is None else True
    good = page.tables(run)
    assert page.NOT_REACHED not in good["targets.csv"]
    assert re.fullmatch(r"(\d+) of \1 targets are reached\.\n", good["verdict.inc"])
    change(run, "request_many", "request_many", ratio=0.5, reached=False)
    change(run, "embedded", "monitor", reached=False)
    bad = page.tables(run)
    missed = [line[0] for line in lines(bad["targets.csv"]) if page.NOT_REACHED in line]
    of_embedded = f"the embedded broker is no slower than RabbitMQ: {len(run.rows('embedded')) - 1} of "
    assert missed[0] == "request_many / bare pika client" and missed[1].startswith(of_embedded)
    assert all(f"* {name}" in bad["verdict.inc"] for name in missed)


def test_a_brief_run_is_said_to_mean_nothing(run: Run) -> None:
    run.about.update(brief=False, rounds=7)
    assert "warning" not in page.tables(run)["conditions.inc"]
    run.about.update(brief=False, rounds=6)
    assert "warning" in page.tables(run)["conditions.inc"]
    run.about.update(brief=True)
    assert "warning" in page.tables(run)["conditions.inc"]


def test_the_steps_add_up_in_microseconds(run: Run) -> None:
    for number, row in enumerate(row for row in run.rows("hops") if row["name"].startswith("step ")):
        row["product"] = 10.0 + number
    begin = [line[1:3] for line in lines(page.tables(run)["steps.csv"])[1:4]]
    assert begin == [["10 µs", "10 µs"], ["11 µs", "21 µs"], ["12 µs", "33 µs"]]


def test_a_run_that_lacks_a_benchmark_makes_no_page(run: Run) -> None:
    del run.benchmarks["growth"]
    with pytest.raises(LookupError, match="no figures of growth: python -m tests.bench growth --json FILE --add"):
        page.tables(run)


def test_a_series_is_sorted_by_its_number_and_must_be_there(run: Run) -> None:
    run.rows("services").reverse()
    numbers = [number for number, _ in run.series("services", "pipelined get", "services")]
    assert numbers == sorted(numbers) and numbers[0] == 1
    with pytest.raises(LookupError, match="services has no rows 'pipelined get, NUMBER clients'"):
        run.series("services", "pipelined get", "clients")


@pytest.mark.skipif(not DRAWS, reason=NOT_INSTALLED)
def test_the_same_figures_are_drawn_as_the_same_bytes(tmp_path: Path) -> None:
    once, again = draw(tmp_path / "once"), draw(tmp_path / "again")
    assert once == again
    assert set(once) == {path.name for path in FILES.glob("*.svg")}
    assert all("<dc:date>" not in text for text in once.values())

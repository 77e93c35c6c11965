"""The page of performance: what lies there is made of the results file beside it, and a new run changes all of it."""

from __future__ import annotations

import copy
import csv
import io
import os
import re
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bench import BENCHMARKS, page
from tests.bench.results import Run, read
from tests.bench.setting import ROUNDS

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "docs" / "explanations" / "performance"
PAGE = FILES.with_suffix(".rst")
FIGURES = FILES / "figures.json"
DRAWS = find_spec("matplotlib") is not None
NOT_INSTALLED = "matplotlib is not installed: python -m pip install -r tests/bench/requirements.txt"


@pytest.fixture
def run() -> Run:
    return copy.deepcopy(read(FIGURES))


@pytest.fixture
def full_run(run: Run) -> Run:
    """The figures as if they were of a run that counts, whatever they are of."""
    set_about(run, *BENCHMARKS, brief=False, rounds=ROUNDS)
    return run


def set_about(run: Run, *names: str, **fields: object) -> None:
    """Change the conditions of benchmarks."""
    for name in names:
        run.benchmarks[name]["about"] = run.about(name) | fields


def lines(text: str) -> list[list[str]]:
    """Return the lines of the table that a text has, with its head; none where it has none."""
    table = re.search(r"^\.\. csv-table::\n(?: +:.*\n)+\n((?: {3}.*\n)+)", text, re.MULTILINE)
    return list(csv.reader(io.StringIO(textwrap.dedent(table[1])))) if table else []


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


def test_each_table_has_the_command_that_repeats_it_below_and_each_target_beside(run: Run) -> None:
    made = page.tables(run)
    command = r"``python -m tests\.bench ([a-z_ ]+)``"
    repeated = [re.search(rf"^Repeated with {command}\.$", text, re.MULTILINE) for text in made.values() if lines(text)]
    beside = [re.fullmatch(command, line[-1]) for line in lines(made["targets.inc"])[1:]]
    assert sum(match is None for match in repeated) == 1 and None not in beside
    assert {name for match in (*repeated, *beside) if match for name in match[1].split()} <= set(BENCHMARKS)
    assert not any("tests.bench" in cell for text in made.values() for line in lines(text) for cell in line[:-1])


def test_each_column_but_the_first_has_a_name_and_all_lines_have_all_columns(run: Run) -> None:
    for name, text in page.tables(run).items():
        if table := lines(text):
            widths = re.search(r":widths: ([\d ]+)\n", text)
            assert widths and {len(line) for line in table} == {len(widths[1].split())}, name
            assert all(table[0]), name


def test_no_row_of_a_run_is_left_out(run: Run) -> None:
    cells = {line[0].replace("`", "") for text in page.tables(run).values() for line in lines(text) if line}
    steps = {row["name"] for row in run.rows("hops") if row["name"].startswith("step ")}
    rows = {row["name"] for name in BENCHMARKS for row in run.rows(name)} - steps
    assert rows <= cells
    assert {name.partition(", ")[2] for name in steps} <= cells


def test_a_target_that_is_missed_is_said_in_the_table_and_in_the_sentence(full_run: Run) -> None:
    for name in BENCHMARKS:
        for row in full_run.rows(name):
            row["reached"] = None if row["target"] is None else True
    good = page.tables(full_run)
    assert page.NOT_REACHED not in good["targets.inc"]
    assert re.fullmatch(r"(\d+) of \1 targets are reached\.\n", good["verdict.inc"])
    change(full_run, "request_many", "request_many", ratio=0.5, reached=False)
    change(full_run, "embedded", "monitor", reached=False)
    bad = page.tables(full_run)
    missed = [line[0] for line in lines(bad["targets.inc"]) if page.NOT_REACHED in line]
    of_embedded = f"the embedded broker is no slower than RabbitMQ: {len(full_run.rows('embedded')) - 1} of "
    assert missed[0] == "request_many / bare pika client" and missed[1].startswith(of_embedded)
    assert all(f"* {name}" in bad["verdict.inc"] for name in missed)


def test_a_target_that_is_no_ratio_stands_beside_no_ratio(full_run: Run) -> None:
    change(full_run, "monitor", "monitor", target="at least 10,000 /s", reached=False, product=9_000.0, floor=20_000.0)
    made = page.tables(full_run)
    (line,) = (line for line in lines(made["targets.inc"]) if line[0] == "monitor to a file / bare pika")
    assert line[1:4] == ["9,000 /s / 20,000 /s", "", "at least 10,000 /s"]
    assert "* monitor to a file / bare pika: 9,000 /s, to be at least 10,000 /s\n" in made["verdict.inc"]


@pytest.mark.parametrize("fields", [{"brief": True, "rounds": 1}, {"brief": False, "rounds": ROUNDS - 1}])
def test_a_brief_run_is_said_to_mean_nothing(full_run: Run, fields: dict[str, object]) -> None:
    assert not any("brief" in text or "warning" in text for text in page.tables(full_run).values())
    set_about(full_run, *BENCHMARKS, **fields)
    made = page.tables(full_run)
    assert "These figures are those of a brief run" in made["conditions.inc"]
    assert made["verdict.inc"] == "No target is judged: all figures are of a brief run.\n"
    assert {line[4] for line in lines(made["targets.inc"])[1:]} == {page.NOT_JUDGED}


def test_of_several_runs_each_benchmark_has_its_own_conditions(full_run: Run) -> None:
    for name in BENCHMARKS:
        full_run.benchmarks[name]["date"] = "2030-01-02"
        for row in full_run.rows(name):
            row["reached"] = None if row["target"] is None else True
    set_about(full_run, "monitor", "growth", brief=True, rounds=1, server="another broker")
    full_run.benchmarks["growth"]["date"] = "2030-01-01"
    made = page.tables(full_run)
    of_others, of_two = re.findall(r"^- (.*)$", made["conditions.inc"], re.MULTILINE)
    assert of_two.startswith("``monitor``, ``growth``: from 2030-01-01 to 2030-01-02, on ")
    assert of_two.endswith("and another broker; rounds: 1; a brief run")
    assert "``services``" in of_others and "``monitor``" not in of_others and of_others.endswith(f"rounds: {ROUNDS}")
    assert "The figures of ``monitor``, ``growth`` are those of a brief run" in made["conditions.inc"]
    assert {name for name, text in made.items() if "figures mean nothing" in text} == {
        "growth.inc",
        "others.inc",
    }
    assert made["growth.inc"].endswith("\nAll of it is of a brief run: its figures mean nothing.\n")
    assert made["others.inc"].endswith("\nOf a brief run, whose figures mean nothing: ``monitor``.\n")
    targets = lines(made["targets.inc"])[1:]
    not_judged = [line[0] for line in targets if line[4] == page.NOT_JUDGED]
    assert not_judged == [line[0] for line in targets if line[0].startswith("monitor ")]
    reached = len(targets) - len(not_judged)
    text = (
        f"{reached} of {reached} targets are reached."
        f" Not judged, since their figures are of a brief run: {len(not_judged)}.\n"
    )
    assert made["verdict.inc"] == text


def test_of_a_single_round_no_range_is_given(full_run: Run) -> None:
    change(full_run, "monitor", "monitor", ratio=1.5, ratio_min=1.25, ratio_max=2.0)
    change(full_run, "monitor", "monitor", rounds={"product": [1.0], "floor": [1.0]})
    assert "1.50 (one round)" in page.tables(full_run)["others.inc"]
    change(full_run, "monitor", "monitor", rounds={"product": [1.0, 2.0], "floor": [1.0, 1.0]})
    assert "1.50 (1.25 to 2.00)" in page.tables(full_run)["others.inc"]


def test_where_no_other_system_was_installed_a_sentence_says_so(run: Run) -> None:
    run.rows("peers").clear()
    assert page.tables(run)["peers.inc"] == (
        "None of them was installed in this run of ``python -m tests.bench peers``.\n"
    )


def test_the_steps_add_up_in_microseconds(run: Run) -> None:
    for number, row in enumerate(row for row in run.rows("hops") if row["name"].startswith("step ")):
        row["product"] = 10.0 + number
    begin = [line[1:3] for line in lines(page.tables(run)["steps.inc"])[1:4]]
    assert begin == [["10 µs", "10 µs"], ["11 µs", "21 µs"], ["12 µs", "33 µs"]]


def test_a_run_that_lacks_a_benchmark_makes_no_page(run: Run) -> None:
    del run.benchmarks["growth"]
    with pytest.raises(LookupError, match="no figures of growth: python -m tests.bench growth --json FILE --add"):
        page.tables(run)


def test_a_series_is_sorted_by_its_number_of_one_or_more_and_must_be_there(run: Run) -> None:
    run.rows("services").reverse()
    numbers = [number for number, _ in run.series("services", "pipelined get", "services")]
    assert numbers == sorted(numbers) and numbers[0] == 1
    (one,) = (row["name"] for row in run.rows("services") if "get, 1 " in row["name"])
    assert one.startswith("pipelined get, 1 service /")
    with pytest.raises(LookupError, match="services has no rows 'pipelined get, NUMBER clients'"):
        run.series("services", "pipelined get", "clients")


@pytest.mark.skipif(not DRAWS, reason=NOT_INSTALLED)
def test_the_same_figures_are_drawn_as_the_same_bytes(tmp_path: Path) -> None:
    once, again = draw(tmp_path / "once"), draw(tmp_path / "again")
    assert once == again
    assert set(once) == {path.name for path in FILES.glob("*.svg")}
    assert all("<dc:date>" not in text for text in once.values())

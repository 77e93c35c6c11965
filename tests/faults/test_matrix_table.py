"""The table that people read and the table that the tests are made of are the same, cell by cell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.cells import KINDS, STARTS
from tests.faults.matrix import CELLS, FAULTS, SUBJECTS
from tests.faults.promises import NOTHING, PROMISES

PAGE = Path(__file__).parents[2] / "docs" / "explanations" / "reliability_matrix.rst"
# What has a scenario of its own, in its test file.
OWN = {"cluster"}


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the page's list-table."""
    table = text.partition(".. list-table::")[2]
    rows: list[list[str]] = []
    for line in table.splitlines():
        entry = re.fullmatch(r"   (\*|  ?) ?- (.+)", line)
        if entry and entry[1] == "*":
            rows.append([])
        if entry:
            rows[-1].append(entry[2])
        elif line and not line.startswith("   "):
            break
    return rows


HEADER, *ROWS = rows_of(PAGE.read_text(encoding="utf-8"))
SHOWN = {row[0]: dict(zip(HEADER[1:], row[1:], strict=True)) for row in ROWS}


def test_the_page_has_the_rows_and_columns_of_the_tests_in_their_order() -> None:
    assert HEADER[1:] == list(SUBJECTS.values())
    assert [row[0] for row in ROWS] == list(FAULTS.values())


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_cell_of_the_page_is_the_one_that_is_tested(subject: str, fault: str) -> None:
    assert SHOWN[FAULTS[fault]][SUBJECTS[subject]] == ", ".join(CELLS[fault][subject])


def test_each_word_is_explained_once_and_has_its_assertions() -> None:
    used = {word for row in CELLS.values() for words in row.values() for word in words}
    section = PAGE.read_text(encoding="utf-8").partition("What the words mean")[2].partition("Limits that")[0]
    assert sorted(re.findall(r"(?m)^([a-z][a-z ]*)$", section)) == sorted(used)
    assert set(PROMISES) == used - {NOTHING}


def test_each_fault_has_a_scenario_and_a_file_that_tests_its_cells() -> None:
    assert {*KINDS, *STARTS, *OWN} == set(FAULTS)
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_matrix_*.py"))
    named = re.findall(r'"([a-z-]+)"', "".join(re.findall(r"@cells\((.+)\)", sources)))
    assert sorted(named) == sorted(FAULTS)

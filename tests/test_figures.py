"""The page of what was measured."""

from __future__ import annotations

from pathlib import Path

from tests.figures import Figure, page, read, write_down

RESTART = Figure("Restarts", "back after kill -9, 5 times", "at most 3.1 s", "./tests/run.sh -k restarts")


def test_of_a_figure_that_was_measured_twice_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "build" / "figures.jsonl"
    again = RESTART._replace(value="at most 2.9 s")
    other = RESTART._replace(what="back after a cut, 5 times")
    for figure in (RESTART, other, again):
        write_down(path, figure)
    assert read(path) == [again, other]


def test_the_page_has_a_table_a_topic_with_value_and_command() -> None:
    text = page([RESTART, RESTART._replace(topic="Alerts", what="kept")])
    assert text.index("Alerts\n------") < text.index("Restarts\n--------")
    assert "   * - back after kill -9, 5 times\n     - at most 3.1 s\n     - ``./tests/run.sh -k restarts``\n" in text

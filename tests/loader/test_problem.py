"""Problems are printed one a line, with their place, in the order of the file."""

import pytest

from dragonfly.loader.problem import ConfigError, Problem, Report


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.yaml", 3, "s > x", "is wrong"), "a.yaml:3: s > x: is wrong"),
        (Problem("a.yaml", 3, "", "is wrong"), "a.yaml:3: is wrong"),
        (Problem("a.yaml", None, "", "is wrong"), "a.yaml: is wrong"),
    ],
)
def test_a_problem_begins_with_its_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_report_raises_all_problems_in_the_order_of_the_file() -> None:
    report = Report("a.yaml")
    report.add(7, "s > y", "two\nlines")
    report.add(3, "s", "first")
    report.add(7, "s > z", "last")
    with pytest.raises(ConfigError) as caught:
        report.check()
    assert str(caught.value) == "a.yaml:3: s: first\na.yaml:7: s > y: two lines\na.yaml:7: s > z: last"
    assert len(caught.value.problems) == 3


def test_a_report_without_problems_raises_nothing() -> None:
    Report("a.yaml").check()

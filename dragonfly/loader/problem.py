"""What is wrong with a config file: collected, and printed together."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a config file.

    Args:
        file: the file as the caller named it.
        line: counted from 1; None where no line is at fault.
        path: place in the tree, such as `my_store > my_price_list > peaches`; empty for the whole file.
        text: one sentence: what is wrong and what was expected.
    """

    file: str
    line: int | None
    path: str
    text: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.text) if part)


class ConfigError(Exception):
    """A config file cannot be used; its text has all problems, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Report:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, line: int | None, path: str, text: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(self.file, line, _one_line(path), _one_line(text)))

    def check(self) -> None:
        """Raise what was collected, in the order of the file.

        Raises:
            ConfigError: there is at least one problem.
        """
        if self.problems:
            raise ConfigError(sorted(self.problems, key=lambda problem: problem.line or 0))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())

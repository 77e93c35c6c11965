"""Write a config file, and its neighbours, and tell what the loader finds wrong with it."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from dragonfly.loader import ConfigError, load

WriteFile = Callable[..., Path]
FindProblems = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write `lab.yaml`, or the file of another name, into a folder of this test."""

    def write_file(text: str, name: str = "lab.yaml") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def problems(write: WriteFile) -> FindProblems:
    """Load a text and return its problems as `LINE: PATH: TEXT`, an empty list where it has none."""

    def find_problems(text: str) -> list[str]:
        path = write(text)
        try:
            load(path)
        except ConfigError as err:
            return [str(problem).removeprefix(f"{path}:").lstrip() for problem in err.problems]
        return []

    return find_problems

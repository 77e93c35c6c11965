"""What setup.py declares is what the requirements files list, and the version has one place."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dragonfly

ROOT = Path(__file__).resolve().parent.parent


def declared(name: str) -> object:
    """Return a list or dict of setup.py, read without running it."""
    for node in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    pytest.fail(f"setup.py has no {name}")


def listed(file: str) -> list[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def test_what_running_needs_is_listed_alike() -> None:
    assert declared("REQUIRES") == listed("requirements.txt")


@pytest.mark.parametrize(("extra", "file"), [("test", "tests/requirements.txt"), ("docs", "docs/requirements.txt")])
def test_an_extra_and_its_file_list_the_same(extra: str, file: str) -> None:
    extras = declared("EXTRAS")
    assert isinstance(extras, dict)
    assert extras[extra] == listed(file)


def test_setup_reads_the_version_of_the_package() -> None:
    command = [sys.executable, "-W", "ignore", "setup.py", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split()[-1] == dragonfly.__version__

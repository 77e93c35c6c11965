"""The command at the end of each help: it is understood, and those that end succeed on the tutorial's mesh."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from dragonfly import cli
from dragonfly.subcommands import ALL_VERBS
from dragonfly.testing import Mesh

ROOT = Path(__file__).resolve().parent.parent
# These stay until they are told to end; tests of their own run them.
STAYING = ("monitor", "serve", "broker", "watchdog")
# The tutorial's store has nothing that can be run.
NOT_IN_THE_STORE = ("run",)
# The line goes on in the shell's own language.
REDIRECTIONS = (">", ">>", "|")


def example(verb: str) -> list[str]:
    """Return the words of a verb's example, as the shell hands them over."""
    words = shlex.split(cli._verb(verb).example)
    end = next((number for number, word in enumerate(words) if word in REDIRECTIONS), len(words))
    return words[:end]


@pytest.fixture
def tutorial(mesh: Mesh) -> str:
    mesh.serve(ROOT / "examples" / "kv_store_tutorial.yaml")
    return mesh.address


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_an_example_is_understood_and_its_file_is_there(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, name, *words = example(verb)
    assert (program, name) == ("dragonfly", verb)
    args: Any = cli._verb_parser(f"dragonfly {verb}", cli._verb(verb)).parse(words)
    files = [args.config] if isinstance(args.config, str) else args.config or []
    assert all(os.path.exists(file) for file in files)


@pytest.mark.parametrize("verb", [verb for verb in ALL_VERBS if verb not in (*STAYING, *NOT_IN_THE_STORE)])
def test_an_example_works(
    verb: str, tutorial: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DRAGONFLY_BROKER", tutorial)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cli.main(example(verb)[1:]) == 0
    out, err = capsys.readouterr()
    assert out
    assert "ERROR" not in err


def test_the_programs_own_example_works(
    tutorial: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGONFLY_BROKER", tutorial)
    assert cli.main(["-h"]) == 0
    *_, heading, line = capsys.readouterr().out.splitlines()
    assert heading == "example:"
    assert cli.main(shlex.split(line)[1:]) == 0

"""The command at the end of each help: it is understood, and succeeds on a mesh of the examples."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from dragonfly import cli
from dragonfly.subcommands import ALL_VERBS
from dragonfly.testing import Mesh
from tests.mesh.program import Program
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
# These stay until they are told to end: by an option, or by Ctrl-C.
ENDING_BY_THEMSELVES = {"monitor": ["--count", "1"], "watchdog": ["--once"]}
STAYING = (*ENDING_BY_THEMSELVES, "serve", "broker")
# The line goes on in the shell's own language.
REDIRECTIONS = (">", ">>", "|")


def example(verb: str) -> list[str]:
    """Return the words of a verb's example, as the shell hands them over."""
    words = shlex.split(cli._verb(verb).example)
    end = next((number for number, word in enumerate(words) if word in REDIRECTIONS), len(words))
    return words[:end]


@pytest.fixture
def tutorial(mesh: Mesh) -> str:
    for file in ("kv_store_tutorial.yaml", "data_taking.yaml"):
        mesh.serve(ROOT / "examples" / file)
    return mesh.address


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_an_example_is_understood_and_its_file_is_there(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, name, *words = example(verb)
    assert (program, name) == ("dragonfly", verb)
    args: Any = cli._verb_parser(f"dragonfly {verb}", cli._verb(verb)).parse(words)
    files = [args.config] if isinstance(args.config, str) else args.config or []
    assert all(os.path.exists(file) for file in files)


@pytest.mark.parametrize("verb", [verb for verb in ALL_VERBS if verb not in STAYING])
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


@pytest.mark.parametrize("verb", ENDING_BY_THEMSELVES)
def test_an_example_that_listens_hears_the_store(
    verb: str, tutorial: str, mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    def has_ended_since_a_set() -> bool:
        mesh.client.set("peaches", 0.64)
        return program.process.poll() is not None

    with Program(tutorial, *example(verb)[1:], *ENDING_BY_THEMSELVES[verb]) as program:
        assert wait_until(has_ended_since_a_set, 30.0)
        ended = program.wait()
    assert (ended.status, ended.stderr) == (0, "")


def test_the_example_of_serve_serves(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with Program(mesh.address, *example("serve")[1:], "-v", "-b", mesh.address) as program:
        program.wait_for("stderr", "starting event loop for node my_store", 30.0)
        assert mesh.client.get("peaches").retcode == 0
        assert program.end().status == 0


def test_the_example_of_broker_runs_one() -> None:
    with Program("", *example("broker")[1:], "--port", "0") as program:
        program.wait_for("stdout", "embedded AMQP broker on 127.0.0.1:", 30.0)
        assert program.end().status == 0


def test_the_programs_own_example_works(
    tutorial: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGONFLY_BROKER", tutorial)
    assert cli.main(["-h"]) == 0
    *_, heading, line = capsys.readouterr().out.splitlines()
    assert heading == "example:"
    assert cli.main(shlex.split(line)[1:]) == 0

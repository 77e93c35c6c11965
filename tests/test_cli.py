"""The program as a whole: help, verbs, statuses, and what it imports."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dragonfly
from dragonfly import cli
from dragonfly.subcommands import VERBS, agent, serve

HELP = Path(__file__).parent / "help"
# What the tutorial shows and this release does not have yet.
MISSING_VERBS = ["watchdog"]
MISSING_OPTIONS = ["-t [TMUX]", "--no-slack"]


def sections(text):
    """Return a help text as the run of tokens of its usage, and its other lines; blanks do not count."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    end = next(number for number, line in enumerate(lines) if line.endswith(":"))
    return " ".join(lines[:end]).split(" "), lines[end:]


def without_missing(text):
    """Leave out of the tutorial's text what this release does not have yet."""
    for verb in MISSING_VERBS:
        text = text.replace(f",{verb}", "")
    for option in MISSING_OPTIONS:
        text = text.replace(f"[{option}]", "")
    usage, lines = sections(text)
    kept = []
    starts = tuple(f"{name} " for name in (*MISSING_VERBS, *(f"{option}," for option in MISSING_OPTIONS)))
    starts += tuple(f"{option} " for option in MISSING_OPTIONS)
    leaving_out = False
    for line in lines:
        leaving_out = line.startswith(starts) or (leaving_out and not line.startswith("-"))
        if not leaving_out:
            kept.append(line)
    return usage, kept


def run_program(*words, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "dragonfly", *words], capture_output=True, text=True, timeout=30, **kwargs
    )


@pytest.mark.parametrize("name", ["dragonfly", "monitor", "serve", "get"])
def test_help_is_the_tutorials(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["-h"] if name == "dragonfly" else [name, "-h"]
    assert cli.main(words) == 0
    ours, *_ = re.split("more (?:options|subcommands):", capsys.readouterr().out)
    assert sections(ours) == without_missing((HELP / f"{name}.txt").read_text())


def test_verbs_that_the_tutorial_does_not_have_come_in_a_group_of_their_own(capsys):
    assert cli.main(["-h"]) == 0
    _, _, more = capsys.readouterr().out.partition("\nmore subcommands:\n")
    assert [line.split()[0] for line in more.splitlines() if line.startswith("  ") and line[2] != " "] == ["broker"]


@pytest.mark.parametrize("verb", ["set", "config", "run", "cmd", "send"])
def test_request_verbs_have_one_help(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    cli.main(["get", "-h"])
    expected = capsys.readouterr().out
    cli.main([verb, "--help"])
    usage, lines = sections(capsys.readouterr().out)
    assert (usage, lines) == sections(expected.replace("dragonfly get", f"dragonfly {verb}"))


@pytest.mark.parametrize("words", [["-V"], ["--version"], ["get", "-V"], ["monitor", "--version"]])
def test_version(words, capsys):
    assert cli.main(words) == 0
    assert capsys.readouterr().out == f"{dragonfly.__version__}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "a subcommand is missing"),
        (["gte", "peaches"], "there is no subcommand 'gte'; did you mean get?"),
        (["hello"], "there is no subcommand 'hello'; dragonfly -h lists them"),
        (["-v", "get", "peaches"], "-v belongs after the subcommand: dragonfly get ... -v"),
        (["-vv", "monitor"], "-vv belongs after the subcommand: dragonfly monitor ... -vv"),
        (["--broker=host", "set"], "--broker=host belongs after the subcommand"),
        (["-c", "file.yaml", "serve"], "-c belongs after the subcommand: dragonfly serve ... -c"),
    ],
)
def test_a_wrong_beginning_is_one_sentence_and_status_2(words, sentence, capsys):
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: dragonfly [-h] {get,")
    assert sentence in err.splitlines()[-1]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_can_be_loaded_and_has_a_help(verb, capsys):
    assert cli.main([verb, "-h"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: dragonfly {verb} [-h] [-v] [-V]")


@pytest.mark.parametrize(("verb", "status"), [("get", 1), ("serve", 6)])
def test_what_nobody_foresaw_is_one_sentence(verb, status, capsys, monkeypatch):
    def fail(self, args):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(agent.Get, "__call__", fail)
    monkeypatch.setattr(serve.Serve, "__call__", fail)
    words = [verb, "peaches"] if verb == "get" else [verb]
    assert cli.main(words) == status
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert re.search(r"\[ERROR   \] dragonfly\.cli\(\d+\) -> unexpected ZeroDivisionError: division", err)
    assert cli.main([*words, "-vv"]) == status
    assert "Traceback" in capsys.readouterr().err


def test_a_device_file_that_leaves_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(serve.Serve, "__call__", lambda self, args: sys.exit(0))
    assert cli.main(["serve"]) == 6
    assert "unexpected SystemExit" in capsys.readouterr().err


def test_ctrl_c_in_a_request_is_quiet(capsys, monkeypatch):
    def interrupt(self, args):
        raise KeyboardInterrupt

    monkeypatch.setattr(agent.Get, "__call__", interrupt)
    assert cli.main(["get", "peaches"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_closed_pipe_ends_quietly():
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dragonfly", "-V"], stdout=write_end, stderr=subprocess.PIPE, timeout=30
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_module_is_the_program():
    done = run_program("-V")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{dragonfly.__version__}\n", "")


def test_a_request_imports_only_what_it_needs():
    """Nothing listens on port 1, so this is a whole get up to the refused connection."""
    script = """
import sys
from dragonfly.cli import main
assert main(["get", "peaches", "-b", "127.0.0.1:1", "--timeout", "1"]) == 3
heavy = ("dragonfly.implementations", "dragonfly.loader", "dragonfly.subcommands.serve", "yaml",
         "argcomplete", "importlib.metadata", "simpleeval")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_the_help_imports_nothing_that_is_not_pythons():
    script = """
import sys
from dragonfly.cli import main
for words in (["-h"], ["get", "-h"], ["monitor", "-h"], ["serve", "-h"]):
    assert main(words) == 0
assert "pika" not in sys.modules and "yaml" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr

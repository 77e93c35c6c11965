"""The program as a whole: help, verbs, statuses, and what it imports."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dragonfly
from dragonfly import cli
from dragonfly.subcommands import ALL_VERBS, MORE_VERBS, VERBS, agent, serve

HELP = Path(__file__).parent / "help"


def sections(text):
    """Return a help text as the run of tokens of its usage, and its other lines; blanks do not count."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    end = next(number for number, line in enumerate(lines) if line.endswith(":"))
    return " ".join(lines[:end]).split(" "), lines[end:]


def without_example(text):
    return text.partition("\nexample:\n")[0]


def run_program(*words, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "dragonfly", *words], capture_output=True, text=True, timeout=30, **kwargs
    )


@pytest.mark.parametrize("name", ["dragonfly", "monitor", "serve", "get", "watchdog"])
def test_help_is_the_tutorials(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["-h"] if name == "dragonfly" else [name, "-h"]
    assert cli.main(words) == 0
    ours, *_ = re.split("more (?:options|subcommands):|example:", capsys.readouterr().out)
    assert sections(ours) == sections((HELP / f"{name}.txt").read_text())


def test_verbs_that_the_tutorial_does_not_have_come_in_a_group_of_their_own(capsys):
    assert cli.main(["-h"]) == 0
    _, _, more = capsys.readouterr().out.partition("\nmore subcommands:\n")
    more, _, _ = more.partition("\nexample:\n")
    assert [line.split()[0] for line in more.splitlines() if line.startswith("  ") and line[2] != " "] == [*MORE_VERBS]


@pytest.mark.parametrize("verb", ["set", "config", "run", "cmd", "send"])
def test_request_verbs_have_one_help(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    cli.main(["get", "-h"])
    expected = re.sub(r"  --watch SECONDS.+?(?=\n  -|\n\n)", "", capsys.readouterr().out, flags=re.DOTALL)
    cli.main([verb, "--help"])
    usage, lines = sections(without_example(capsys.readouterr().out))
    assert (usage, lines) == sections(without_example(expected).replace("dragonfly get", f"dragonfly {verb}"))


def test_what_the_tutorial_does_not_have_comes_last_in_the_help_of_a_request(capsys):
    cli.main(["cmd", "-h"])
    usage, _, more = capsys.readouterr().out.partition("\nmore options:\n")
    ours = [line.split()[0] for line in more.splitlines() if line.startswith("  -")]
    assert ours == ["--json", "--quiet-time", "--yes", "--auth-file"]
    assert not any(option in usage for option in ours)


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
        (["-t", "monitor"], "-t belongs after the subcommand: dragonfly monitor ... -t"),
        (["--no-slack", "serve"], "--no-slack belongs after the subcommand: dragonfly serve ... --no-slack"),
    ],
)
def test_a_wrong_beginning_is_one_sentence_and_status_2(words, sentence, capsys):
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: dragonfly [-h] {get,")
    assert sentence in err.splitlines()[-1]


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_the_help_of_every_verb_ends_with_an_example_of_it(verb, capsys):
    assert cli.main([verb, "-h"]) == 0
    *_, heading, example = capsys.readouterr().out.splitlines()
    assert heading == "example:"
    assert example.startswith(f"  dragonfly {verb}")


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
         "argcomplete", "importlib.metadata", "simpleeval", "slack_sdk", "colorlog", "dragonfly.tmux",
         "dragonfly.status_log_handlers.slack")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_the_help_imports_nothing_that_is_not_pythons():
    script = """
import sys
from dragonfly.cli import main
for words in (["-h"], ["get", "-h"], ["monitor", "-h"], ["serve", "-h"], ["watchdog", "-h"]):
    assert main(words) == 0
assert "pika" not in sys.modules and "yaml" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr

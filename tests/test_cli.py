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
ROOT = HELP.parent.parent
# All that a request loads beside Python's own: a module more is time that each get in a shell loop takes.
MODULES_OF_GET = Path(__file__).parent / "modules_of_get.txt"
# Prints the modules that are loaded, of others' libraries the name alone.
LOADED = """
ours = {name for name in sys.modules if name.partition(".")[0] == "dragonfly"}
others = {name.partition(".")[0] for name in sys.modules} - {"dragonfly", "__main__"} - sys.stdlib_module_names - before
print(*sorted(ours | others))
"""


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


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a file that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words",
    [["-V"], ["-h"], ["get", "-V"], ["get", "-h"], ["doc"], ["check", "-c", "examples/kv_store.yaml"]],
    ids=" ".join,
)
def test_what_cannot_be_written_is_one_sentence_and_status_1(words, unbuffered):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dragonfly", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("-> the output cannot be written: No space left on device")


def test_what_nobody_can_read_on_stderr_is_lost_and_the_status_stays():
    if not os.path.exists("/dev/full"):
        pytest.skip("only Linux has a file that is always full")
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "dragonfly", "get"], stderr=full, timeout=30, cwd=ROOT)
    assert done.returncode == 2


@pytest.mark.parametrize("verb", ["check", "doc"])
def test_what_nobody_foresaw_is_no_bad_config_file(verb, capsys, monkeypatch):
    def fail(self, args):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(f"dragonfly.subcommands.{verb}.{verb.title()}.__call__", fail)
    assert cli.main([verb]) == 1
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err


def test_the_module_is_the_program():
    done = run_program("-V")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{dragonfly.__version__}\n", "")


def loaded_by(statements):
    """Return the modules that are loaded after some statements in a new Python."""
    # What an installation loads by itself (.pth files) is not ours.
    script = f"import sys\nbefore = {{name.partition('.')[0] for name in sys.modules}}\n{statements}\n{LOADED}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("loaded:\n")[2].split()


def test_a_request_loads_the_modules_that_are_listed_and_no_others():
    """Nothing listens on port 1, so this is a whole get up to the refused connection."""
    found = loaded_by(
        "from dragonfly.cli import main\n"
        'assert main(["get", "peaches", "-b", "127.0.0.1:1", "--timeout", "1"]) == 3\n'
        'print("loaded:")'
    )
    assert found == MODULES_OF_GET.read_text(encoding="utf-8").split()


def test_the_help_loads_nothing_that_is_not_pythons_or_ours():
    # The options of the embedded broker stand where it is made.
    words = [["-h"], *([verb, "-h"] for verb in ALL_VERBS if verb != "broker")]
    found = loaded_by(
        f"from dragonfly.cli import main\nassert [main(words) for words in {words}] == [0] * {len(words)}\n"
        'print("loaded:")'
    )
    assert "dragonfly.cli" in found
    assert [name for name in found if name.partition(".")[0] != "dragonfly"] == []
    assert not {"dragonfly.core.interface", "dragonfly.core.service", "dragonfly.loader"} & set(found)

"""-t: the same command, in a tmux of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.cli import main
from dragonfly.subcommands.exit_status import CommandError, Status
from dragonfly.tmux import session_name
from tests.installed import require
from tests.mesh.program import environment
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 20.0  # s
# Shows what a command finds where it runs, then ends with status 3.
PROBE = """
import os, sys
print("directory", os.getcwd())
print("words", sys.argv[1:])
print("secret", os.environ.get("DRAGONFLY_PASSWORD"), os.environ["TERM"] != "dumb", "TMUX" in os.environ)
print("venv", os.environ.get("VIRTUAL_ENV"), os.environ["ODD"].encode("utf-8", "surrogateescape"))
sys.exit(3)
"""
RUN = "from dragonfly import tmux; tmux.run_in_session({name!r}, {words!r})"


@pytest.mark.parametrize(
    ("given", "config", "name"),
    [
        ("mine", "a/my_store.yaml", "mine"),
        ("", "a/my_store.yaml", "my_store"),
        ("", "my_store.old.yaml", "my_store"),
        ("", ["one.yaml", "two.yaml"], "one"),
        ("Küche-2", None, "Küche-2"),
    ],
)
def test_the_name_is_what_is_given_or_that_of_the_config_file(
    given: str, config: str | list[str] | None, name: str
) -> None:
    assert session_name(given, config) == name


@pytest.mark.parametrize("name", ["a.b", "a:b", "=a", "$1", "@1", "-a", "a b", "{top}", "a\nb", "a;"])
def test_a_name_that_tmux_reads_in_its_own_way_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="letters, digits") as caught:
        session_name(name, None)
    assert caught.value.status is Status.USAGE


@pytest.mark.parametrize("config", [None, "", [], ".yaml"])
def test_without_any_name_it_says_how_to_give_one(config: str | list[str] | None) -> None:
    with pytest.raises(CommandError, match="-t NAME"):
        session_name("", config)


def test_without_tmux_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["get", "peaches", "-t", "mine"]) == Status.NOT_SERVING
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("-> -t needs tmux, which is not installed: sudo apt-get install tmux")


class Tmux:
    """A tmux server of our own; `run` runs a command in its reach, as a person outside of it would."""

    def __init__(self, directory: Path, address: str = "127.0.0.1:1") -> None:
        self.directory = directory
        # TERM is that of the terminal in which the person types; inside, tmux has its own.
        own = {"TMUX_TMPDIR": str(directory), "HOME": str(directory), "TERM": "dumb", "ODD": "a '\"$b\udcff\n;"}
        self.environment = {
            **{name: value for name, value in environment(address).items() if name not in ("TMUX", "TMUX_PANE")},
            **own,
            "DRAGONFLY_PASSWORD": "guest",
            "DRAGONFLY_USER": "guest",
            "VIRTUAL_ENV": "/some/venv",
            "PYTHONPATH": str(ROOT),
        }

    def ask(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", *words], env=self.environment, capture_output=True, text=True, errors="replace", timeout=PATIENCE
        )
        return done.stdout

    def run(self, *words: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env=self.environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def dragonfly(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "dragonfly", *words)

    def command(self, session: str) -> list[str]:
        """Return the command line of what runs in a session."""
        relay = self.ask("list-panes", "-t", f"={session}", "-F", "#{pane_pid}").strip()
        listed = subprocess.run(
            ["ps", "-ww", "-o", "args=", "--ppid", relay], capture_output=True, text=True, check=True
        )
        return listed.stdout.split()

    def shown(self, session: str) -> str:
        return self.ask("capture-pane", "-p", "-J", "-t", f"={session}:")

    def wait_for(self, session: str, text: str) -> str:
        assert wait_until(lambda: text in self.shown(session), PATIENCE), self.shown(session)
        return self.shown(session)

    def press(self, session: str, key: str) -> None:
        self.ask("send-keys", "-t", f"={session}:", key)

    def sessions(self) -> list[str]:
        return sorted(self.ask("list-sessions", "-F", "#{session_name}").split())


def is_running(pid: str) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()
    return bool(listed) and not listed.startswith("Z")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    require("tmux")
    tmux = Tmux(tmp_path)
    yield tmux
    relays = tmux.ask("list-panes", "-a", "-F", "#{pane_pid}").split()
    tmux.ask("kill-server")
    assert wait_until(lambda: not any(is_running(pid) for pid in relays), PATIENCE), "something goes on without tmux"


def test_the_command_finds_the_same_around_it(tmux: Tmux, tmp_path: Path) -> None:
    (tmp_path / "it's here").mkdir()
    words = ["a b", "it's", '"', "$HOME", "", ";", "#{pid}", "*"]
    code = f"import sys\nif len(sys.argv) > 1:\n    exec({PROBE!r})\n" + RUN.format(name="probe", words=words)
    done = tmux.run("-c", code, directory=tmp_path / "it's here")
    assert (done.returncode, done.stderr) == (0, "")
    shown = tmux.wait_for("probe", "venv ")
    assert f"directory {tmp_path}/it's here" in shown
    assert f"words {words!r}" in shown
    assert "secret guest True True" in shown
    assert "venv /some/venv " + repr(b"a '\"$b\xff\n;") in shown


def test_a_service_runs_in_a_session_that_has_the_files_name(tmux: Tmux) -> None:
    words = ["serve", "-c", "examples/kv_store.yaml", "-vt", "-b", "127.0.0.1:1"]
    done = tmux.dragonfly(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "tmux session kv_store created; to see it: tmux attach -t kv_store\n"
    tmux.wait_for("kv_store", "starting my_store")
    again = tmux.dragonfly(*words)
    assert (again.returncode, again.stdout) == (6, "")
    assert again.stderr.endswith("there is a tmux session kv_store already; to see it: tmux attach -t kv_store\n")
    without = ["-m", "dragonfly", "serve", "-c", "examples/kv_store.yaml", "-v", "-b", "127.0.0.1:1"]
    assert tmux.command("kv_store")[1:] == without


def test_no_secret_is_in_a_command_line_nor_in_what_the_server_keeps(tmux: Tmux) -> None:
    tmux.environment["DRAGONFLY_PASSWORD"] = "correct horse"
    done = tmux.dragonfly("serve", "-c", "examples/kv_store.yaml", "-t", "-b", "127.0.0.1:1")
    assert done.returncode == 0
    tmux.wait_for("kv_store", "trying on")
    kept = tmux.ask("show-environment", "-g") + tmux.ask("show-environment", "-t", "=kv_store")
    assert "TMUX_TMPDIR" in kept
    assert "correct horse" not in kept + tmux.ask("list-panes", "-a", "-F", "#{pane_start_command} #{pane_title}")
    processes = subprocess.run(["ps", "-ww", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert "correct horse" not in processes


def test_why_a_command_ended_can_be_read_until_enter_closes_its_session(tmux: Tmux) -> None:
    assert tmux.dragonfly("serve", "-c", "no_such.yaml", "--tmux=gone").returncode == 0
    shown = tmux.wait_for("gone", "[ended with status 5; Enter closes this session]")
    assert "there is no such file" in shown
    assert tmux.dragonfly("serve", "-c", "no_such.yaml", "--tmux", "gone").returncode == 6
    tmux.press("gone", "Enter")
    assert wait_until(lambda: tmux.sessions() == [], PATIENCE)


def test_ctrl_c_there_is_for_the_command(tmux: Tmux) -> None:
    assert tmux.dragonfly("serve", "-c", "examples/kv_store.yaml", "-t", "store", "-b", "127.0.0.1:1").returncode == 0
    tmux.wait_for("store", "trying on")
    tmux.press("store", "C-c")
    tmux.wait_for("store", "[ended with status 0;")
    tmux.press("store", "C-c")
    assert wait_until(lambda: tmux.sessions() == [], PATIENCE)


def test_who_kills_the_session_ends_the_command_in_order(tmux: Tmux, tmp_path: Path) -> None:
    words = ["serve", "-c", "examples/kv_store.yaml", "-t", "store", "-vb", "127.0.0.1:1"]
    code = "import sys; sys.stderr = open(sys.argv.pop(1), 'w'); from dragonfly.cli import entry; entry()"
    log = tmp_path / "log"
    assert tmux.run("-c", code, str(log), *words).returncode == 0
    assert wait_until(lambda: "trying on" in log.read_text(), PATIENCE)
    tmux.ask("kill-session", "-t", "=store")
    assert wait_until(lambda: "my_store has stopped" in log.read_text(), PATIENCE), log.read_text()


def test_a_session_is_not_taken_for_one_whose_name_it_begins(tmux: Tmux) -> None:
    for name in ("store_two", "store"):
        assert tmux.dragonfly("serve", "-c", "no_such.yaml", "-t", name).returncode == 0
    assert tmux.sessions() == ["store", "store_two"]


def test_what_cannot_be_started_there_is_said_there(tmux: Tmux) -> None:
    code = (
        f"from dragonfly import tmux; tmux._own_command = lambda: ['/no/such']\n{RUN.format(name='probe', words=['x'])}"
    )
    assert tmux.run("-c", code).returncode == 0
    tmux.wait_for("probe", "[cannot be started here: [Errno 2] No such file or directory: '/no/such'; Enter closes")


def test_a_tmux_that_fails_is_quoted(tmux: Tmux) -> None:
    (tmux.directory / f"tmux-{os.getuid()}").touch()  # where its own directory ought to be
    done = tmux.dragonfly("get", "peaches", "-t", "mine")
    assert (done.returncode, done.stdout) == (6, "")
    assert "tmux cannot make the session mine: " in done.stderr
    assert len(done.stderr.splitlines()) == 1

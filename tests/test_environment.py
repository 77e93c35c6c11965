"""tests/environment.sh: what is missing is named, and what is half made is made anew.

The Python that it finds is a play-actor: the real one takes seconds for a .venv, and lacks nothing.
"""

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GOOD = f"""#!/bin/sh
case "$*" in
-) exec {shlex.quote(sys.executable)} - ;;
*python%d*) echo python3.12-venv ;;
*"-m venv"*) mkdir .venv/bin && cp "$0" .venv/bin/python ;;
*"pip install"*) echo "$*" >>pip.log ;;
esac
"""
OLD = """#!/bin/sh
[ "$1" = --version ] && echo Python 3.8.10
"""
WITHOUT_ENSUREPIP = GOOD.replace("*python%d", '*"import ensurepip"*) exit 1 ;;\n*python%d')
# As on Debian, where the module can be there and what it needs cannot.
WITHOUT_WHEELS = GOOD.replace("cp ", "echo because ensurepip is not available && false && cp ")
WITHOUT_ROOM = GOOD.replace("cp ", "echo No space left on device && false && cp ")
WITHOUT_NETWORK = GOOD.replace(
    'echo "$*" >>pip.log', 'printf "%s\\n" "ERROR: no route" "note: no problem" "in a" "row" "of" "many"; exit 1'
)
NO_VENV = (
    "python3 cannot make a virtual environment, since python3-venv is not installed:\n"
    "    sudo apt-get install python3.12-venv\n"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What environment.sh works on, in a folder whose name has a blank."""
    folder = tmp_path / "a clone"
    for name in ("tests/environment.sh", "setup.py", "requirements.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def begin(clone: Path, python: str) -> "subprocess.Popen[str]":
    """Start what quickstart.sh and run.sh begin with, where python3 is this script and there is no other Python."""
    programs = clone.parent / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("bash", "cat", "cksum", "cp", "grep", "mkdir", "rm", "sh", "tail"):
        found = shutil.which(name)
        assert found is not None
        if not (programs / name).exists():
            (programs / name).symlink_to(found)
    (programs / "python3").write_text(python)
    (programs / "python3").chmod(0o755)
    command = "set -u; source tests/environment.sh; prepare quickstart requirements.txt"
    return subprocess.Popen(
        ["bash", "-c", command],
        cwd=clone,
        env={"PATH": str(programs)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def prepare(clone: Path, python: str) -> "subprocess.CompletedProcess[str]":
    with begin(clone, python) as running:
        stdout, stderr = running.communicate(timeout=60)
    return subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)


def test_it_installs_once(clone: Path) -> None:
    first, second = prepare(clone, GOOD), prepare(clone, GOOD)
    assert (first.returncode, first.stdout, first.stderr) == (0, "installing into .venv ...\n", "")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_two_at_once_in_one_clone_take_turns(clone: Path) -> None:
    other = os.open(clone, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with begin(clone, GOOD) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == "waiting for another start that installs into .venv ...\n"
            assert not (clone / ".venv").exists()
            fcntl.flock(other, fcntl.LOCK_UN)
            assert running.communicate(timeout=60) == ("installing into .venv ...\n", "")
    finally:
        os.close(other)
    assert (clone / ".venv" / "stamp-quickstart").exists()


def test_an_older_python_is_told_what_is_needed(clone: Path) -> None:
    done = prepare(clone, OLD)
    assert done.returncode == 2
    assert done.stderr.startswith("Python 3.10 or newer is needed; here is Python 3.8.10:\n")
    assert "sudo apt-get install python3 python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("python", [WITHOUT_ENSUREPIP, WITHOUT_WHEELS])
def test_a_missing_python3_venv_is_named_and_installed_the_next_start_goes_on(clone: Path, python: str) -> None:
    done = prepare(clone, python)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", NO_VENV)
    assert not (clone / ".venv").exists()
    assert prepare(clone, GOOD).returncode == 0


def test_another_failure_is_told_in_its_own_words(clone: Path) -> None:
    done = prepare(clone, WITHOUT_ROOM)
    assert (done.returncode, done.stderr) == (2, "No space left on device\npython3 -m venv .venv failed\n")


def test_pips_errors_are_shown_and_the_next_start_installs(clone: Path) -> None:
    done = prepare(clone, WITHOUT_NETWORK)
    assert done.returncode == 2
    assert done.stderr == "ERROR: no route\npip failed (is there a network?); all it said is in .venv/setup.log\n"
    shutil.copy(clone.parent / "bin" / "sh", clone / ".venv" / "bin" / "python")
    (clone / ".venv" / "bin" / "python").write_text(GOOD)
    assert prepare(clone, GOOD).stdout == "installing into .venv ...\n"


@pytest.mark.parametrize("what", ["interrupted", "its python is gone", "a link to nowhere", "of another folder"])
def test_a_broken_venv_is_made_anew(clone: Path, what: str) -> None:
    venv = clone / ".venv"
    if what == "a link to nowhere":
        venv.symlink_to(clone / "gone")
    else:
        (venv / "bin").mkdir(parents=True)
        (venv / "old").touch()
        (venv / "bin" / "python").symlink_to("/gone/python3" if what == "its python is gone" else sys.executable)
    if what == "interrupted":
        (venv / "unfinished").touch()
    if what == "of another folder":
        (venv / "stamp-quickstart").write_text(f"{clone}-before 1 2")
    done = prepare(clone, GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("making .venv anew: the one that is there does not work here\n")
    assert not (venv / "old").exists() and not (venv / "unfinished").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_is_named(clone: Path) -> None:
    clone.chmod(0o555)
    done = prepare(clone, GOOD)
    clone.chmod(0o755)
    assert done.returncode == 2
    assert f"{clone} must be a folder that you may write to" in done.stderr

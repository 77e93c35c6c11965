"""Ctrl-C before the program has begun: it ends at once, quietly, with the status of Ctrl-C."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dragonfly import early_interrupt

# Runs the program, and presses Ctrl-C when a module is about to be imported.
PRESSING = """
import os, runpy, signal, sys

class Presses:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)

MODULE, *sys.argv[1:] = sys.argv[1:]
sys.meta_path.insert(0, Presses())
runpy.run_module("dragonfly", run_name="__main__", alter_sys=True)
"""


def pressed_at(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PRESSING, module, *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=Path(__file__).resolve().parent.parent
    )


@pytest.mark.parametrize(
    "module",
    [
        "dragonfly.early_interrupt",
        "dragonfly.cli",
        "argparse",
        "logging",
        "dragonfly.command_parser",
        "dragonfly.subcommands",
        "dragonfly.subcommands.agent",
        "dragonfly.core.interface",
        "pika",
        "pika.adapters.select_connection",
    ],
)
def test_ctrl_c_while_the_program_is_loaded_shows_nothing(module: str) -> None:
    done = pressed_at(module, "get", "peaches", "-b", "127.0.0.1:1")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_without_ctrl_c_the_program_runs() -> None:
    done = pressed_at("no.such.module", "-V")
    assert (done.returncode, done.stderr) == (0, "")


def test_who_wants_ctrl_c_ignored_keeps_it_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        early_interrupt.leave_quietly()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        early_interrupt.raise_again()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_raises_again_when_somebody_handles_it() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        early_interrupt.leave_quietly()
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        early_interrupt.raise_again()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)

"""`-t`: the same command in a tmux session, where it goes on when the terminal is closed.

Rules:
1. The command in the session is the one that was typed, without -t: same interpreter, words, directory, environment.
2. The environment may hold passwords: it goes to the session through a socket in a directory of our own, and neither
   through command lines, which everybody can read, nor into the environment that a tmux server keeps.
3. When the command ends, its window stays, so that a person can read why (tmux_relay.py).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from dragonfly.subcommands.exit_status import CommandError, Status

logger = logging.getLogger(__name__)

_RELAY = Path(__file__).with_name("tmux_relay.py")
_NAME = re.compile(r"\w[\w-]*")
_START_SECONDS = 15.0
_SECRETS = "DRAGONFLY_"


class InTmux:
    """Start a command in a tmux session, instead of the verb.

    Args:
        words: the words after the program's name, without -t.
    """

    failure_status = Status.NOT_SERVING

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __call__(self, args: argparse.Namespace) -> int:
        """Start it, say how to get there, and return the exit status."""
        try:
            name = session_name(args.tmux, args.config)
            run_in_session(name, self._words)
        except CommandError as err:
            return err.report(logger)
        print(f"tmux session {name} created; to see it: tmux attach -t {name}")  # noqa: T201
        return Status.SUCCESS


def session_name(given: str, config: str | list[str] | None) -> str:
    """Return the name of the session: what was given, or the config file's up to its first dot.

    Raises:
        CommandError: there is neither, or tmux cannot have it as a name.
    """
    first = config[0] if isinstance(config, list) and config else config
    name = given or (Path(first).name.partition(".")[0] if isinstance(first, str) else "")
    if not name:
        raise CommandError(
            Status.USAGE, "-t needs a name for the session, or a config file whose name it takes: -t NAME"
        )
    # tmux would replace dots and colons, and its commands take some other characters for something else.
    if not _NAME.fullmatch(name):
        wanted = "letters, digits, '_' and '-' were expected; give -t NAME"
        raise CommandError(Status.USAGE, f"{name[:80]!r} cannot be the name of a tmux session: {wanted}")
    return name


def run_in_session(name: str, words: list[str]) -> None:
    """Start this program in a new tmux session.

    Args:
        name: the session.
        words: the words after the program's name.

    Raises:
        CommandError: there is no tmux, or there is such a session already, or tmux cannot make it.
    """
    if shutil.which("tmux") is None:
        raise CommandError(Status.NOT_SERVING, "-t needs tmux, which is not installed: sudo apt-get install tmux")
    with tempfile.TemporaryDirectory(prefix="dragonfly-tmux-") as directory:
        path = os.path.join(directory, "command")
        with socket.socket(socket.AF_UNIX) as door:
            try:
                door.bind(path)
            except OSError as err:
                raise CommandError(Status.NOT_SERVING, f"-t cannot use {path}: {err}") from err
            door.listen(1)
            door.settimeout(_START_SECONDS)
            _make_session(name, path)
            _hand_over(door, name, [*_own_command(), *words])


def _make_session(name: str, path: str) -> None:
    made = _tmux("new-session", "-d", "-s", name, sys.executable, "-I", str(_RELAY), path)
    if made.returncode == 0:
        return
    if _tmux("has-session", "-t", f"={name}").returncode == 0:
        text = f"there is a tmux session {name} already; to see it: tmux attach -t {name}"
        raise CommandError(Status.NOT_SERVING, text)
    why = " ".join(made.stderr.split()) or "it does not say why"
    raise CommandError(Status.NOT_SERVING, f"tmux cannot make the session {name}: {why}")


def _hand_over(door: socket.socket, name: str, command: list[str]) -> None:
    # Surrogates, which stand for what is no UTF-8, survive JSON as escapes.
    message = json.dumps({"command": command, "environment": dict(os.environ), "directory": os.getcwd()})
    try:
        relay, _ = door.accept()
        with relay:
            relay.sendall(message.encode("ascii"))
    except OSError as err:
        _tmux("kill-session", "-t", f"={name}")
        raise CommandError(Status.NOT_SERVING, f"nothing can be started in the tmux session {name}: {err}") from err


def _own_command() -> list[str]:
    """Return how this process was started, up to the program's own words."""
    own_words = len(sys.argv) - 1
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - own_words]]


def _tmux(*words: str) -> subprocess.CompletedProcess[str]:
    # A server that this starts keeps its environment, and gives it to all sessions after this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    try:
        return subprocess.run(
            ["tmux", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as err:
        raise CommandError(Status.NOT_SERVING, f"tmux {words[0]} does not come to an end") from err

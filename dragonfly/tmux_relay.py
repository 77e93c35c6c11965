"""What a tmux session starts: it runs the command that `-t` sends through a socket (tmux.py), and stays after its end.

1. It runs as a script, with nothing of dragonfly to import: where that is found is part of what it is sent.
2. Ctrl-C is for the command. `tmux kill-session` asks it to end, as SIGTERM does, and does not kill it.
3. When the command has ended, what it said stays until somebody has read it, and presses Enter.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
from typing import Any

# What only the new terminal knows of itself.
_OF_TERMINAL = ("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "TMUX_PANE")
_LONGEST_WAIT = 1000  # ms


def main() -> None:
    """Run the command, and say how it ended."""
    told = _told(sys.argv[1])
    try:
        ending = _run(told["command"], told["environment"], told["directory"])
    except OSError as err:
        ending = f"cannot be started here: {err}"
    sys.stderr.write(f"\n[{ending}; Enter closes this session]\n")
    termios.tcflush(0, termios.TCIFLUSH)  # keys that nobody has read were not meant for this
    sys.stdin.readline()


def _told(path: str) -> Any:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)
        parts = []
        while part := door.recv(1 << 16):
            parts.append(part)
    return json.loads(b"".join(parts))


def _run(command: list[str], sent: dict[str, str], directory: str) -> str:
    """Run a command and return how it ended."""
    environment = {name: value for name, value in sent.items() if name not in _OF_TERMINAL}
    environment.update((name, os.environ[name]) for name in _OF_TERMINAL if name in os.environ)
    # Not SIG_IGN, which the command would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    child = subprocess.Popen(command, env=environment, cwd=directory)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    _wait(child)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    status = child.wait()
    return f"ended with status {status}" if status >= 0 else f"ended by signal {-status}"


def _wait(child: "subprocess.Popen[bytes]") -> None:
    """Wait until a command has ended; ask it to, once, when the terminal goes."""
    try:
        ended = os.pidfd_open(child.pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        signal.signal(signal.SIGHUP, lambda *_: child.terminate())
        child.wait()
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(0, 0)  # of the terminal nothing but its end
    # Not for ever: a SIGTERM that comes just when the wait begins is seen when it is over.
    while ended not in (come := [file for file, _ in poll.poll(_LONGEST_WAIT)]):
        if come:
            poll.unregister(0)
            child.terminate()
    os.close(ended)


if __name__ == "__main__":
    main()

"""What a private server of a test run needs from the operating system: free ports, and a certain end.

A session of tests can end without a word (SIGTERM, SIGKILL, a second Ctrl-C), and nothing in its own
process runs then. So each server has a keeper: a small shell in a session of its own that reads from a pipe
whose other end only we hold. When we are gone, for whatever reason, it reads the end of the file, kills what
we had started and removes its directory.
"""

import random
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Below the ports that Linux gives to outgoing connections: a client that tries again and again to reach a
# server that is down would else be given that very port some day, and be connected to itself.
PORTS = range(20_000, 32_000)

# Each line read replaces the list of the processes to end. What dies may still write a file: hence the second
# removal.
KEEPER = """
running=
while read -r line; do running=$line; done
[ -z "$running" ] || kill -KILL $running
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"""


def free_ports(count: int) -> list[int]:
    """Return this many different TCP ports on which nothing listens on loopback."""
    ports: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if _is_free(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError(f"127.0.0.1 has fewer than {count} free ports from {PORTS.start} to {PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Return whether somebody accepts connections on this port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def end(process: "subprocess.Popen[bytes]", signal: int, patience: float) -> None:
    """Send a signal to our child and wait for its end; kill it when its patience (s) is over."""
    process.send_signal(signal)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Keeper:
    """Ends processes and removes a directory when this process is gone, or when it is closed."""

    def __init__(self, directory: Path) -> None:
        """Start it; from now on the directory is its own.

        Args:
            directory: what is removed at the end, with all that is in it.
        """
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def watch(self, pids: Iterable[int]) -> None:
        """Make these the processes that are killed at the end, in place of those named before."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(" ".join(map(str, pids)).encode() + b"\n")
        self._shell.stdin.flush()

    def close(self) -> None:
        """Let it do its work now, and wait until it is done."""
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(10.0)

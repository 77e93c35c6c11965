"""The embedded broker as a program: its arguments, its first line, and how it ends."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import queue
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from dragonfly.broker.address import is_loopback, shown_address
from dragonfly.broker.frames import HEAD, METHOD, PROTOCOL_HEADER
from dragonfly.broker.server import GUEST, Broker

logger = logging.getLogger(__name__)

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 5672
PASSWORD_VARIABLE = "DRAGONFLY_PASSWORD"
# The exit statuses, with the numbers of the command line's own.
SUCCESS, USAGE, NOT_SERVING = 0, 2, 6
_PATIENCE = 2.0
_ENDING = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Enter what the program takes."""
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--user", help=f"the user who may connect, with the password in {PASSWORD_VARIABLE} (default: {GUEST})"
    )


def run(args: argparse.Namespace) -> int:
    """Run a broker until a signal ends it; return the exit status."""
    problem, password = _credentials(args.host, args.port, args.user)
    if problem:
        logger.error("%s", problem)
        return USAGE
    address = shown_address(args.host, args.port)
    broker = Broker(args.host, args.port, args.user or GUEST, password)
    with _signals() as stopped:
        try:
            broker.start()
        except OSError as error:
            return _not_started(args.host, args.port, address, error)
        _say(
            f"embedded AMQP broker on {broker.address}: for one machine, keeps nothing on disk"
            " (for production use RabbitMQ); Ctrl-C stops it"
        )
        try:
            ended_well = _wait(broker, stopped)
        finally:
            broker.stop()
    return SUCCESS if ended_well else NOT_SERVING


def main(argv: list[str] | None = None) -> int:
    """Run the program `python -m dragonfly.broker`; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m dragonfly.broker",
        description="An AMQP 0-9-1 broker for one machine, which keeps nothing on disk; for production use RabbitMQ.",
    )
    add_arguments(parser)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    return run_to_the_end(parser.parse_args(argv))


def run_to_the_end(args: argparse.Namespace) -> int:
    """Run the broker as `run` does, in a process that ends with it; return the exit status."""
    status = run(args)
    # It ends already: an impatient second Ctrl-C shall not make a failure of that.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    return status


def _credentials(host: str, port: int, user: str | None) -> tuple[str, str]:
    """Return what is wrong with the arguments, or nothing, and the password."""
    if not 0 <= port < 1 << 16:
        return f"--port takes a number from 0 to 65535, not {port}", ""
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if user is None and is_loopback(host):
        return "", GUEST
    if user is None or user == GUEST:
        if is_loopback(host):
            return "", password or GUEST
        return f"{host} can be reached by others: --user must name a user other than {GUEST}", ""
    if not password:
        return f"--user {user} needs a password in the environment variable {PASSWORD_VARIABLE}", ""
    if password == GUEST and not is_loopback(host):
        return f"{host} can be reached by others: {PASSWORD_VARIABLE} must be another password than {GUEST}", ""
    return "", password


def _not_started(host: str, port: int, address: str, error: OSError) -> int:
    if error.errno != errno.EADDRINUSE:
        logger.error("the broker cannot listen on %s: %s", address, error.strerror or error)
        return NOT_SERVING
    if _answers_amqp(host, port):
        _say(f"a broker already answers on {address}: nothing to do")
        return SUCCESS
    logger.error("the broker cannot listen on %s: something that is no AMQP broker has this port", address)
    return NOT_SERVING


def _answers_amqp(host: str, port: int) -> bool:
    """Return whether what listens there begins the handshake: a method frame on channel 0 (AMQP 0-9-1, 2.2.4)."""
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE) as connection:
            connection.sendall(PROTOCOL_HEADER)
            return connection.recv(3) == HEAD.pack(METHOD, 0, 0)[:3]
    except OSError:
        return False


def _wait(broker: Broker, stopped: queue.SimpleQueue[int]) -> bool:
    """Wait for a signal; return whether the broker lived to see it."""
    while broker.is_running:
        with suppress(queue.Empty):
            stopped.get(timeout=_PATIENCE)
            return True
    return False


def _say(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        # Nobody reads it, which is no reason to stop. Python would fail once more on what is unsent when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _signals() -> Iterator[queue.SimpleQueue[int]]:
    """Give a queue into which Ctrl-C and SIGTERM come; of all ways to wait, this one is safe in a signal handler."""
    stopped: queue.SimpleQueue[int] = queue.SimpleQueue()

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.put(number)

    before = {number: signal.signal(number, stop) for number in _ENDING}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

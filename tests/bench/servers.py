"""What a benchmark measures against: a broker, and services in processes of their own that end with it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from dragonfly.testing import RabbitMQNode
from tests.bench.children import child, wait_for_line
from tests.bench.load import LoadGenerator
from tests.bench.usage import own

EMBEDDED, RABBITMQ = "embedded", "rabbitmq"
# What RabbitMQ says it is when a client connects.
RABBITMQ_PRODUCT = "RabbitMQ"
TUTORIAL = "examples/kv_store_tutorial.yaml"
PRODUCT_TARGET, ECHO_TARGET, LOGGED_TARGET = "peaches", "echo", "waffles"
_START_PATIENCE = 60.0
_POLL_SECONDS = 0.005


class BenchBroker(NamedTuple):
    """A running broker.

    Args:
        address: HOST:PORT.
        memory: returns what it has in use (kB); None where nobody can tell.
    """

    address: str
    memory: Callable[[], float] | None


@contextmanager
def broker(kind: str) -> Iterator[BenchBroker]:
    """Give a broker: EMBEDDED or RABBITMQ, started here, or one that runs (HOST:PORT)."""
    if kind == EMBEDDED:
        with _embedded() as running:
            yield running
    elif kind == RABBITMQ:
        with _rabbitmq() as running:
            yield running
    else:
        yield BenchBroker(kind, None)


@contextmanager
def _rabbitmq() -> Iterator[BenchBroker]:
    node = RabbitMQNode()
    node.start()
    try:
        yield BenchBroker(node.address, lambda: float(node.ctl("eval", "erlang:memory(total).")) / 1024)
    finally:
        node.stop()


@contextmanager
def _embedded() -> Iterator[BenchBroker]:
    with child(["-m", "dragonfly.broker", "--port", "0"], stdout=subprocess.PIPE) as process:
        said = re.search(r" on (\S+:\d+):", wait_for_line(process.stdout, ""))
        if said is None:
            raise RuntimeError("the embedded broker did not say where it listens")
        yield BenchBroker(said[1], lambda: own(process.pid))


def serve_words(address: str, config: str) -> list[str]:
    """Return the command line of a service."""
    return ["-m", "dragonfly", "serve", "-c", config, "-b", address]


def echo_words(address: str, *arguments: str) -> list[str]:
    """Return the command line of a bare echo; the arguments are those of echo_service.py."""
    return ["-m", "tests.bench.echo_service", address, *arguments]


@contextmanager
def product_service(address: str, config: str = TUTORIAL, target: str = PRODUCT_TARGET) -> Iterator[int]:
    """Give the process id of `dragonfly serve`, from when a target answers."""
    with service(address, target, serve_words(address, config)) as process:
        yield process.pid


@contextmanager
def echo_service(address: str, *arguments: str) -> Iterator[int]:
    """Give the process id of the bare echo, from when ECHO_TARGET answers."""
    with service(address, ECHO_TARGET, echo_words(address, *arguments)) as process:
        yield process.pid


@contextmanager
def service(address: str, target: str, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Give a service's process, from when a target answers."""
    with child(words, stop=signal.SIGTERM) as process:
        wait_until_it_answers(address, target, process, _START_PATIENCE)
        yield process


def wait_until_it_answers(address: str, target: str, process: subprocess.Popen[bytes], patience: float) -> None:
    """Wait until a target answers, `patience` s at most.

    Raises:
        RuntimeError: the process that is to serve it ended, or the time is over.
    """
    deadline = time.monotonic() + patience
    with LoadGenerator(address) as generator:
        while not generator.answers(target):
            if process.poll() is not None:
                raise RuntimeError(f"what is to serve {target} ended with status {process.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{target} does not answer after {patience:g} s")
            time.sleep(_POLL_SECONDS)

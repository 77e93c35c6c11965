"""What a benchmark measures against: a broker, and services in processes of their own that end with it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragonfly.testing import RabbitMQNode
from dragonfly.testing.processes import end
from tests.bench.load import LoadGenerator

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = "examples/kv_store_tutorial.yaml"
PRODUCT_TARGET, ECHO_TARGET = "peaches", "echo"
_START_PATIENCE = 20.0
_STOP_PATIENCE = 15.0


@contextmanager
def broker(address: str | None) -> Iterator[str]:
    """Give the address (HOST:PORT) of a running broker: this one, or a RabbitMQ of our own."""
    if address is not None:
        yield address
        return
    node = RabbitMQNode()
    node.start()
    try:
        yield node.address
    finally:
        node.stop()


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Give the address of an embedded broker in a process of its own."""
    command = [sys.executable, "-m", "dragonfly.broker", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = re.search(r" on (\S+:\d+):", process.stdout.readline())
        if said is None:
            raise RuntimeError("the embedded broker did not say where it listens")
        yield said[1]
    finally:
        end(process, signal.SIGTERM, _STOP_PATIENCE)
        process.stdout.close()


@contextmanager
def product_service(address: str, config: str = TUTORIAL) -> Iterator[int]:
    """Give the process id of `dragonfly serve`, from when PRODUCT_TARGET answers."""
    with _service(address, PRODUCT_TARGET, "-m", "dragonfly", "serve", "-c", config, "-b", address) as pid:
        yield pid


@contextmanager
def echo_service(address: str) -> Iterator[int]:
    """Give the process id of the bare echo, from when ECHO_TARGET answers; its replies are the running product's."""
    with LoadGenerator(address) as generator:
        reply = generator.get(PRODUCT_TARGET)
    with _service(address, ECHO_TARGET, "-m", "tests.bench.echo_service", address, reply.decode("utf-8")) as pid:
        yield pid


@contextmanager
def _service(address: str, target: str, *arguments: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        with LoadGenerator(address) as generator:
            generator.wait_for(target, _START_PATIENCE)
        yield process.pid
    finally:
        end(process, signal.SIGTERM, _STOP_PATIENCE)

"""The broker as a program of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STARTED = re.compile(
    r"embedded AMQP broker on (\S+): for one machine, keeps nothing on disk"
    r" \(for production use RabbitMQ\); Ctrl-C stops it\n"
)


@contextmanager
def program(
    *arguments: str, password: str | None = None, words: tuple[str, ...] = ("dragonfly.broker",)
) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m dragonfly.broker`, or what else follows the `-m`."""
    environment = {name: value for name, value in os.environ.items() if name != "DRAGONFLY_PASSWORD"}
    if password is not None:
        environment["DRAGONFLY_PASSWORD"] = password
    process = subprocess.Popen(
        [sys.executable, "-m", *words, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def started(process: subprocess.Popen[str]) -> str:
    """Return the address on which it has started."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = STARTED.fullmatch(line)
    assert found, line
    return found.group(1)

"""The wall time of `dragonfly get`, as a shell pays it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.bench.comparison import Row, Samples, alternate
from tests.bench.servers import PRODUCT_TARGET, ROOT, product_service

ROUNDS = 15
_QUICK_ROUNDS = 2
_MS = 1e3
_PRODUCT = "dragonfly get"


def run(address: str, rounds: int | None, quick: bool) -> list[Row]:
    """Return the rows of this benchmark; a round is one run of each command."""
    commands = {
        _PRODUCT: ["-m", "dragonfly", "get", PRODUCT_TARGET, "-b", address],
        "import pika": ["-c", "import pika"],
        "bare pika get": ["tests/bench/bare_client.py", address, PRODUCT_TARGET],
    }
    with product_service(address), _compiled() as environment:
        contenders: dict[str, Callable[[], Samples]] = {
            name: partial(_milliseconds, command, environment) for name, command in commands.items()
        }
        for contender in contenders.values():  # unmeasured: the first run compiles
            contender()
        results = alternate(rounds or (_QUICK_ROUNDS if quick else ROUNDS), contenders)
    figures = {name: [one for (one,) in each] for name, each in results.items()}
    product = figures.pop(_PRODUCT)
    return [Row(f"{_PRODUCT} / {floor}", "ms", product, figures[floor]) for floor in figures]


@contextmanager
def _compiled() -> Iterator[dict[str, str]]:
    """Give an environment in which modules are compiled once, as an installation has them, whatever ours says."""
    with tempfile.TemporaryDirectory(prefix="dragonfly-bench-") as cache:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def _milliseconds(command: list[str], environment: dict[str, str]) -> Samples:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return [_MS * (time.perf_counter() - begin)]

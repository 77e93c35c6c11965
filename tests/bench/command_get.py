"""The wall time of `dragonfly get`, as a shell pays it.

Floors: `python -c "import pika"`, and a get written in bare pika (bare_client.py).
Target: at most 1.4 x the import, and at most 1.2 x the get.
Command: python -m tests.bench command_get
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.bench.children import ROOT
from tests.bench.comparison import MS, Measure, Row, Samples, Target, alternate, medians
from tests.bench.servers import PRODUCT_TARGET, product_service
from tests.bench.setting import Setting

_PRODUCT = "dragonfly get"
_TARGETS = {"import pika": Target(1.4), "bare pika get": Target(1.2)}
_RUNS = 5
_PATIENCE = 60.0


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark; what counts of each round is the median of five runs."""
    commands = {
        _PRODUCT: get_words(setting.address),
        "import pika": ["-c", "import pika"],
        "bare pika get": ["tests/bench/bare_client.py", setting.address, PRODUCT_TARGET],
    }
    with product_service(setting.address), compiled(setting) as environment:
        contenders: dict[str, Measure] = {
            name: partial(seconds, command, environment, setting.sized(_RUNS, 1)) for name, command in commands.items()
        }
        results = alternate(setting.rounds, contenders)
    product = medians(results.pop(_PRODUCT), MS)
    return [
        Row(f"{_PRODUCT} / {name}", "ms", product, medians(results[name], MS), target)
        for name, target in _TARGETS.items()
    ]


def get_words(address: str) -> list[str]:
    """Return the command line of a get."""
    return ["-m", "dragonfly", "get", PRODUCT_TARGET, "-b", address]


@contextmanager
def compiled(setting: Setting) -> Iterator[dict[str, str]]:
    """Give an environment in which modules are compiled once, as an installation has them, whatever ours says."""
    if setting.brief:  # one run would only compile
        yield dict(os.environ)
        return
    with tempfile.TemporaryDirectory(prefix="dragonfly-bench-") as cache:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def seconds(command: list[str], environment: dict[str, str], runs: int) -> Samples:
    """Return how long each of so many runs of a command took (s); where there are several, one before them compiles."""
    samples = []
    for _ in range(runs + (runs > 1)):
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
        )
        samples.append(time.perf_counter() - begin)
    return samples[-runs:]

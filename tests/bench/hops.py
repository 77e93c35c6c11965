"""Where the time of a get goes: what each step of it takes, inside the service and outside.

A service with stamps (stamped_service.py) is asked with one request in flight; beside it, in the same rounds, a service
without stamps, the bare echo, and the product's client. What a step took is the median of its gets; the medians of all
steps add up to about the whole, and each has about one stamp in it, whose cost is a row of its own.
Floor: the same without stamps, and the bare echo.
Target: none of its own (sequential_get has it).
Command: python -m tests.bench hops
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

from dragonfly.core import Interface
from tests.bench import sequential_get
from tests.bench.comparison import US, Row, Samples, alternate, medians
from tests.bench.configs import write_config
from tests.bench.servers import ECHO_TARGET, echo_service, product_service, serve_words, service
from tests.bench.setting import Setting
from tests.bench.stamped_service import LAST, NAMES, READ

# How rows begin that are steps of a get in its service: page.py finds them by this word.
STEP = "step"
OUTSIDE, CLIENT = "outside: broker, lines, load generator", "client: Interface.get, more than the load generator"
STAMP = "cost of one stamp"
_STAMPED, _PLAIN = "stamped", "plain"
_NS = 1e-9

Window = tuple[int, int]
Stamp = dict[str, int]


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, count = setting.address, setting.sized(1_000, 30)
    windows: list[Window] = []
    with tempfile.TemporaryDirectory() as directory:
        written = Path(directory, "stamps.json")
        with _services(address, Path(directory), written), Interface(address) as interface:
            results = alternate(
                setting.rounds,
                {
                    "stamped": partial(_in_window, windows, address, count),
                    "plain": partial(sequential_get.times, address, _PLAIN, count),
                    "echo": partial(sequential_get.times, address, ECHO_TARGET, count),
                    "client": partial(sequential_get.times_of, interface.get, _PLAIN, count),
                },
            )
        said = json.loads(written.read_text(encoding="utf-8"))
    rounds = in_rounds(said["requests"], windows, count)
    stamped, plain, echo, client = (medians(samples, US) for samples in results.values())
    rows, inside = _steps(rounds)
    return [
        *rows,
        Row(OUTSIDE, "us", [whole - own for whole, own in zip(stamped, inside, strict=True)]),
        Row(CLIENT, "us", [whole - less for whole, less in zip(client, plain, strict=True)]),
        Row("sequential get, with the stamps / without", "us", stamped, plain, names=(_STAMPED, _PLAIN)),
        Row("sequential get, without the stamps / bare echo", "us", plain, echo),
        Row(STAMP, "us", [US * said["cost"]]),
    ]


@contextmanager
def _services(address: str, directory: Path, written: Path) -> Iterator[None]:
    """Have a service with stamps, one without, and an echo; the stamps are written when this ends."""
    with ExitStack() as stack:
        configs = {name: directory / f"{name}.yaml" for name in (_STAMPED, _PLAIN)}
        for name, path in configs.items():
            write_config(path, f"{name}_service", [name], {"initial_value": 0.75, "calibration": "2*{}"}, {})
        words = serve_words(address, str(configs[_STAMPED]))[2:]
        stack.enter_context(service(address, _STAMPED, ["-m", "tests.bench.stamped_service", str(written), *words]))
        stack.enter_context(product_service(address, str(configs[_PLAIN]), _PLAIN))
        stack.enter_context(echo_service(address))
        yield


def _in_window(windows: list[Window], address: str, count: int) -> Samples:
    """Return how long each get of the stamped service took (s), and note when they were."""
    begin = time.perf_counter_ns()  # the same clock in all processes
    samples = sequential_get.times(address, _STAMPED, count)
    windows.append((begin, time.perf_counter_ns()))
    return samples


def in_rounds(requests: list[Stamp], windows: list[Window], count: int) -> list[list[Stamp]]:
    """Return the stamps of each round's requests, without those that only warmed up.

    Raises:
        RuntimeError: a round has none.
    """
    rounds = [[each for each in requests if begin < each[READ] < end][-count:] for begin, end in windows]
    if not all(rounds):
        raise RuntimeError("the service with stamps has noted none for some rounds")
    return rounds


def passed(rounds: list[list[Stamp]]) -> list[str]:
    """Return the points that most requests pass, in their order, and say which are not passed any more."""
    requests = [each for of_round in rounds for each in of_round]
    there = [name for name in NAMES if 2 * sum(name in each for each in requests) > len(requests)]
    for name in NAMES:
        if name not in there:
            print(f"hops: no get reaches {name!r} any more: it is left out (tests/bench/stamped_service.py)")
    return there


def _steps(rounds: list[list[Stamp]]) -> tuple[list[Row], Samples]:
    """Return the rows of all steps, and how long a get was inside the service, of each round (us)."""
    names = passed(rounds)
    whole = [[each for each in of_round if all(name in each for name in names)] for of_round in rounds]
    rows = []
    for number, (before, name) in enumerate(pairwise(names), 1):
        rows.append(Row(f"{STEP} {number}, {name}", "us", [_took(requests, before, name) for requests in whole]))
    return rows, [_took(requests, READ, LAST) for requests in whole]


def _took(requests: list[Stamp], before: str, name: str) -> float:
    return US * _NS * median(each[name] - each[before] for each in requests)

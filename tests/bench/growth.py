"""How the cost of a get grows with endpoints, with clients, and with the size of the value.

Gets with one in flight and pipelined: from a service of 1 to 10,000 endpoints, asked in turn; from one endpoint by 1 to
50 clients, each with one get in flight; and of a text of 100 bytes to a megabyte.
Floor: the bare pika echo under the same generator, with as many bindings, or a reply of the same size. It encodes
nothing: its bytes are ready.
Target: none of its own: it tells what grows, and from where on.
Command: python -m tests.bench growth
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench import clients
from tests.bench.children import child
from tests.bench.comparison import US, Measure, Row, Samples, alternate, counted, medians
from tests.bench.configs import key_names, write_config
from tests.bench.load import IN_FLIGHT, LoadGenerator
from tests.bench.servers import (
    ECHO_TARGET,
    PRODUCT_TARGET,
    echo_service,
    echo_words,
    product_service,
    serve_words,
    service,
)
from tests.bench.setting import Setting
from tests.bench.start_up import gone_afterwards, wait_until_all_answer

# How its rows begin, and what they count: page.py finds them by these words.
SEQUENTIAL, PIPELINED, AT_ONCE = "sequential get", "pipelined get", "gets at once"
ENDPOINTS, CLIENTS, BYTES = "endpoints", "clients", "bytes"

_ENDPOINTS, _BRIEF_ENDPOINTS = (1, 100, 10_000), (1, 20)
_CLIENTS, _BRIEF_CLIENTS = (1, 10, 50), (1, 3)
_WARM_UP = 100
# Which endpoint is asked next: far from the one before, and a prime, so that all have their turn.
_STEP = 7_919


class _Load(NamedTuple):
    """How many gets there are with one in flight, and pipelined, and how many of these are on their way at a time."""

    one_by_one: int
    pipelined: int
    in_flight: int = IN_FLIGHT


_LOAD, _BRIEF_LOAD = _Load(300, 4_000), _Load(10, 50)
# Of so many bytes each: no more are on their way than the broker keeps in memory without a care.
_SIZES = {
    100: _Load(300, 4_000),
    1_000: _Load(300, 4_000),
    10_000: _Load(300, 2_000),
    100_000: _Load(100, 400, 100),
    1_000_000: _Load(25, 50, 10),
}
_BRIEF_SIZES = {100: _Load(5, 50), 300_000: _Load(2, 4, 2)}
_CLASS = '''"""An endpoint that has a text of some length."""

from dragonfly.core import Spime


class Sized(Spime):
    """Have a text.

    Keyword Args:
        size (int): how long it is, bytes
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self._text = "x" * size

    def on_get(self):
        return self._text
'''


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark; what leaves most behind in the broker comes last."""
    return [*_of_clients(setting), *_of_sizes(setting), *_of_endpoints(setting)]


def name_of(way: str, number: int, what: str) -> str:
    """Return the name of a row."""
    return f"{way}, {counted(number, what)}"


def _of_endpoints(setting: Setting) -> list[Row]:
    rows = []
    load = setting.sized(_LOAD, _BRIEF_LOAD)
    for number in setting.sized(_ENDPOINTS, _BRIEF_ENDPOINTS):
        with _many_endpoints(setting.address, number) as (ours, bare):
            rows += _compared(setting, load, (ours, bare), partial(name_of, number=number, what=ENDPOINTS))
    return rows


def _of_clients(setting: Setting) -> list[Row]:
    rows = []
    address, count = setting.address, setting.sized(3_000, 30)
    with product_service(address), echo_service(address):
        for number in setting.sized(_CLIENTS, _BRIEF_CLIENTS):
            each = count // number
            results = alternate(
                setting.rounds,
                {
                    "service": partial(clients.rate, address, PRODUCT_TARGET, number, each),
                    "echo": partial(clients.rate, address, ECHO_TARGET, number, each),
                },
            )
            ours, floor = (medians(samples) for samples in results.values())
            rows.append(Row(name_of(AT_ONCE, number, CLIENTS), "/s", ours, floor, more_is_better=True))
    return rows


def _of_sizes(setting: Setting) -> list[Row]:
    rows = []
    loads = setting.sized(_SIZES, _BRIEF_SIZES)
    with _sized(setting.address, list(loads)) as targets:
        for (size, load), pair in zip(loads.items(), targets, strict=True):
            rows += _compared(setting, load, pair, partial(name_of, number=size, what=BYTES))
    return rows


def _compared(
    setting: Setting, load: _Load, targets: tuple[list[str], list[str]], name: Callable[[str], str]
) -> list[Row]:
    """Return the rows of gets from the product's targets and from the floor's."""
    contenders: dict[str, Measure] = {}
    for who, of in zip(("service", "echo"), targets, strict=True):
        contenders[who] = partial(_times, setting.address, of, load)
        contenders[f"{who}, pipelined"] = partial(_rate, setting.address, of, load)
    results = alternate(setting.rounds, contenders)
    return [
        Row(name(SEQUENTIAL), "us", medians(results["service"], US), medians(results["echo"], US)),
        Row(
            name(PIPELINED),
            "/s",
            medians(results["service, pipelined"]),
            medians(results["echo, pipelined"]),
            more_is_better=True,
        ),
    ]


def _times(address: str, targets: list[str], load: _Load) -> Samples:
    with LoadGenerator(address) as generator:
        for target in _spread(targets, min(load.one_by_one, _WARM_UP)):
            generator.ask(target)
        return [generator.times(target, 1)[0] for target in _spread(targets, load.one_by_one)]


def _rate(address: str, targets: list[str], load: _Load) -> Samples:
    with LoadGenerator(address) as generator:
        spread = _spread(targets, load.pipelined)
        generator.rate(spread, load.pipelined // 5, in_flight=load.in_flight)
        return [generator.rate(spread, load.pipelined, in_flight=load.in_flight)]


def _spread(targets: list[str], count: int) -> list[str]:
    return [targets[number * _STEP % len(targets)] for number in range(count)]


@contextmanager
def _many_endpoints(address: str, number: int) -> Iterator[tuple[list[str], list[str]]]:
    """Give the targets of a service with so many endpoints, and those of an echo with as many bindings."""
    ours, bare = key_names("grown", number), key_names("bare", number)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        config, bindings = Path(directory, "grown.yaml"), Path(directory, "bare.txt")
        names = write_config(config, "grown", ours, {"initial_value": 0.75, "calibration": "2*{}"}, {})
        bindings.write_text("\n".join([*key_names("bare_other", names - number), *bare]))
        echo = echo_words(address, "--name", "bare", "--bindings", str(bindings))
        stack.enter_context(_answering(address, ours, serve_words(address, str(config))))
        stack.enter_context(_answering(address, bare, echo))
        yield ours, bare


@contextmanager
def _answering(address: str, targets: list[str], words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with gone_afterwards(address, targets), child(words) as process:
        wait_until_all_answer(address, targets, process)
        yield process


@contextmanager
def _sized(address: str, sizes: list[int]) -> Iterator[list[tuple[list[str], list[str]]]]:
    """Give a target of the product and one of an echo for each size of a value."""
    ours, bare = ([f"{prefix}_{size}" for size in sizes] for prefix in ("sized", "bare"))
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        Path(directory, "sized.py").write_text(_CLASS, encoding="utf-8")
        config = Path(directory, "sized.yaml")
        endpoints = [
            {"name": target, "module": "Sized", "module_path": "sized.py", "size": size}
            for target, size in zip(ours, sizes, strict=True)
        ]
        config.write_text(json.dumps({"name": "sized", "module": "Service", "endpoints": endpoints}))
        stack.enter_context(product_service(address, str(config), ours[-1]))
        for target, size in zip(bare, sizes, strict=True):
            words = echo_words(address, "--name", target, "--size", str(size))
            stack.enter_context(service(address, target, words))
        yield [([our], [floor]) for our, floor in zip(ours, bare, strict=True)]

"""1 to 8 services at a time, asked in turn with 1,000 gets in flight by one load generator.

Floor: as many bare pika echoes under the same generator.
Target: none of its own: it tells what one machine can do, and where more services do not help.
Command: python -m tests.bench services
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.bench.comparison import Row, Samples, alternate, counted, medians
from tests.bench.configs import write_config
from tests.bench.load import LoadGenerator
from tests.bench.servers import echo_words, product_service, service
from tests.bench.setting import Setting

_NUMBERS, _BRIEF_NUMBERS = (1, 2, 4, 8), (1, 2)
_WARM_UP = 1_000


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    numbers = setting.sized(_NUMBERS, _BRIEF_NUMBERS)
    count = setting.sized(20_000, 1_500)
    rows = []
    with services(setting.address, numbers[-1]) as products, _echoes(setting.address, numbers[-1]) as echoes:
        for number in numbers:
            results = alternate(
                setting.rounds,
                {
                    "services": partial(rate, setting.address, products[:number], count),
                    "echoes": partial(rate, setting.address, echoes[:number], count),
                },
            )
            ours, floor = (medians(samples) for samples in results.values())
            name = f"pipelined get, {counted(number, 'services')} / as many bare echoes"
            rows.append(Row(name, "/s", ours, floor, more_is_better=True))
    return rows


@contextmanager
def services(address: str, number: int) -> Iterator[list[str]]:
    """Give the targets of so many services, one of each."""
    targets = [f"endpoint_of_{index}" for index in range(number)]
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        for index, target in enumerate(targets):
            config = Path(directory, f"{index}.yaml")
            write_config(config, f"service_{index}", [target], {"initial_value": 0.75, "calibration": "2*{}"}, {})
            stack.enter_context(product_service(address, str(config), target))
        yield targets


def rate(address: str, targets: list[str], count: int) -> Samples:
    """Return how many gets are answered a second, of so many that go to the targets in turn."""
    with LoadGenerator(address) as generator:
        generator.rate(targets, min(count, _WARM_UP))
        return [generator.rate(targets, count)]


@contextmanager
def _echoes(address: str, number: int) -> Iterator[list[str]]:
    names = [f"echo_{index}" for index in range(number)]
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(service(address, name, echo_words(address, "--name", name)))
        yield names

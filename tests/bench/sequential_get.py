"""Gets with one request in flight, under the load generator; and with the client's whole path.

Floor: the bare pika echo under the same generator; for the client, a get with pika's BlockingConnection from the echo.
Target: median at most 1.15 x the echo, 99th percentile at most 1.5 x. For the client's path there is none.
Command: python -m tests.bench sequential_get
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dragonfly.core import Interface
from tests.bench.bare_client import BareClient
from tests.bench.comparison import US, Row, Samples, Target, alternate, medians, p99s
from tests.bench.load import LoadGenerator
from tests.bench.servers import ECHO_TARGET, PRODUCT_TARGET, echo_service, product_service
from tests.bench.setting import Setting

_WARM_UP = 100


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, count = setting.address, setting.sized(2_000, 50)
    with (
        product_service(address),
        echo_service(address),
        Interface(address) as interface,
        BareClient(address) as bare,
    ):
        results = alternate(
            setting.rounds,
            {
                "service": lambda: times(address, PRODUCT_TARGET, count),
                "echo": lambda: times(address, ECHO_TARGET, count),
                "client": lambda: times_of(interface.get, PRODUCT_TARGET, count),
                "bare client": lambda: times_of(bare.get, ECHO_TARGET, count),
            },
        )
    name, whole = "sequential get, service / bare echo", "sequential get, client too / bare pika"
    service, echo, client, bare_times = results.values()
    return [
        Row(f"{name}, median", "us", medians(service, US), medians(echo, US), Target(1.15)),
        Row(f"{name}, p99", "us", p99s(service, US), p99s(echo, US), Target(1.5)),
        Row(f"{whole}, median", "us", medians(client, US), medians(bare_times, US)),
        Row(f"{whole}, p99", "us", p99s(client, US), p99s(bare_times, US)),
    ]


def times(address: str, target: str, count: int) -> Samples:
    """Return how long each of so many gets from a target took (s)."""
    with LoadGenerator(address) as generator:
        return times_of(generator.ask, target, count)


def times_of(get: Callable[[str], object], target: str, count: int) -> Samples:
    """Return how long each of so many gets with a function took (s)."""
    for _ in range(min(count, _WARM_UP)):
        get(target)
    samples = []
    for _ in range(count):
        begin = time.perf_counter()
        get(target)
        samples.append(time.perf_counter() - begin)
    return samples

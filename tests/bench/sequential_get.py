"""A get with one request in flight: the service alone under the load generator, and with the whole client path."""

from __future__ import annotations

import time
from collections.abc import Callable

from dragonfly.core import Interface
from tests.bench.bare_client import BareClient
from tests.bench.comparison import Row, Samples, alternate, latency_rows
from tests.bench.load import LoadGenerator
from tests.bench.servers import ECHO_TARGET, PRODUCT_TARGET, echo_service, product_service

ROUNDS = 7
_GETS, _QUICK_GETS = 2_000, 200
_WARM_UP = 200


def run(address: str, rounds: int | None, quick: bool) -> list[Row]:
    """Return the rows of this benchmark."""
    count = _QUICK_GETS if quick else _GETS
    with (
        product_service(address),
        echo_service(address),
        LoadGenerator(address) as generator,
        Interface(address) as interface,
        BareClient(address) as bare,
    ):
        contenders: dict[str, Callable[[], Samples]] = {
            "service": lambda: generator.times(PRODUCT_TARGET, count),
            "echo": lambda: generator.times(ECHO_TARGET, count),
            "client": lambda: _times(interface.get, PRODUCT_TARGET, count),
            "bare client": lambda: _times(bare.get, ECHO_TARGET, count),
        }
        for get, target in (
            (generator.get, PRODUCT_TARGET),
            (generator.get, ECHO_TARGET),
            (interface.get, PRODUCT_TARGET),
            (bare.get, ECHO_TARGET),
        ):
            _times(get, target, min(count, _WARM_UP))
        results = alternate(rounds or ROUNDS, contenders)
    return [
        *latency_rows("sequential get, service / bare echo", results["service"], results["echo"]),
        *latency_rows("sequential get, client too / bare pika", results["client"], results["bare client"]),
    ]


def _times(get: Callable[[str], object], target: str, count: int) -> Samples:
    samples = []
    for _ in range(count):
        begin = time.perf_counter()
        get(target)
        samples.append(time.perf_counter() - begin)
    return samples

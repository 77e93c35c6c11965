"""Gets with 1,000 requests in flight on one connection, under the load generator.

Floor: the bare pika echo under the same generator.
Target: at least as many a second as the echo answers.
Command: python -m tests.bench pipelined_get
"""

from __future__ import annotations

from tests.bench.comparison import Row, Samples, Target, alternate, medians
from tests.bench.load import LoadGenerator
from tests.bench.servers import ECHO_TARGET, PRODUCT_TARGET, echo_service, product_service
from tests.bench.setting import Setting

_WARM_UP = 1_000


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, count = setting.address, setting.sized(20_000, 1_500)
    with product_service(address), echo_service(address):
        results = alternate(
            setting.rounds,
            {
                "service": lambda: rate(address, PRODUCT_TARGET, count),
                "echo": lambda: rate(address, ECHO_TARGET, count),
            },
        )
    service, echo = (medians(results[name]) for name in ("service", "echo"))
    return [Row("pipelined get, service / bare echo", "/s", service, echo, Target(1.0), more_is_better=True)]


def rate(address: str, target: str, count: int) -> Samples:
    """Return how many gets from a target are answered a second, of so many."""
    with LoadGenerator(address) as generator:
        generator.rate(target, min(count, _WARM_UP))
        return [generator.rate(target, count)]

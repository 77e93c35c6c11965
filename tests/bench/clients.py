"""50 clients at once, each on a connection of its own with one get in flight, under one load generator.

Floor: the bare pika echo with the same clients.
Target: none of its own.
Command: python -m tests.bench clients
"""

from __future__ import annotations

from tests.bench.comparison import Row, Samples, alternate, medians
from tests.bench.crowd import Crowd
from tests.bench.servers import ECHO_TARGET, PRODUCT_TARGET, echo_service, product_service
from tests.bench.setting import Setting

CLIENTS, _BRIEF_CLIENTS = 50, 10
_WARM_UP = 5


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, size, each = setting.address, setting.sized(CLIENTS, _BRIEF_CLIENTS), setting.sized(200, 10)
    with product_service(address), echo_service(address):
        results = alternate(
            setting.rounds,
            {
                "service": lambda: rate(address, PRODUCT_TARGET, size, each),
                "echo": lambda: rate(address, ECHO_TARGET, size, each),
            },
        )
    service, echo = (medians(results[name]) for name in ("service", "echo"))
    return [Row(f"gets of {size} clients at once, service / bare echo", "/s", service, echo, more_is_better=True)]


def rate(address: str, target: str, size: int, each: int) -> Samples:
    """Return how many gets are answered a second, when so many clients send so many each."""
    with Crowd(address, size) as crowd:
        crowd.rate(target, _WARM_UP)
        return [crowd.rate(target, each)]

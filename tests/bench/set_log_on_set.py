"""Sets of an endpoint that tells each new value to everybody (log_on_set): one in flight, and 1,000.

Floor: the bare pika echo, which sends an alert as well for each request that it answers.
A queue takes the alerts; that there is one for each set is looked at.
Target: none of its own.
Command: python -m tests.bench set_log_on_set
"""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.comparison import US, Row, Samples, alternate, medians, p99s
from tests.bench.load import SET, LoadGenerator
from tests.bench.servers import ECHO_TARGET, LOGGED_TARGET, echo_service, product_service
from tests.bench.setting import Setting
from tests.bench.wire import Ear
from tests.waiting import wait_until

_WARM_UP = 100
_PATIENCE = 30.0


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address = setting.address
    one_by_one, pipelined = setting.sized(1_000, 50), setting.sized(5_000, 1_200)
    with product_service(address), echo_service(address, "--alerts"):
        results = alternate(
            setting.rounds,
            {
                "service": lambda: times(address, LOGGED_TARGET, one_by_one),
                "echo": lambda: times(address, ECHO_TARGET, one_by_one),
                "service, pipelined": lambda: rate(address, LOGGED_TARGET, pipelined),
                "echo, pipelined": lambda: rate(address, ECHO_TARGET, pipelined),
            },
        )
    service, echo, many, many_echo = results.values()
    name = "set with log_on_set, service / bare echo"
    return [
        Row(f"{name}, median", "us", medians(service, US), medians(echo, US)),
        Row(f"{name}, p99", "us", p99s(service, US), p99s(echo, US)),
        Row("pipelined set with log_on_set", "/s", medians(many), medians(many_echo), more_is_better=True),
    ]


def times(address: str, target: str, count: int) -> Samples:
    """Return how long each of so many sets took (s)."""
    return _logged(address, target, count, lambda generator: generator.times(target, count, SET))


def rate(address: str, target: str, count: int) -> Samples:
    """Return how many sets are answered a second, of so many."""
    return _logged(address, target, count, lambda generator: [generator.rate(target, count, SET)])


def _logged(address: str, target: str, count: int, measure: Callable[[LoadGenerator], Samples]) -> Samples:
    with Ear(address) as ear, LoadGenerator(address) as generator:
        generator.times(target, _WARM_UP, SET)
        samples = measure(generator)
        expected = count + _WARM_UP
        if not wait_until(lambda: ear.count() >= expected, _PATIENCE):
            raise RuntimeError(f"{expected} sets of {target} were followed by {ear.count()} alerts")
        return samples

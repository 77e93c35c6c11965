"""The embedded broker beside RabbitMQ (or the broker given), under the same load and before the same services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from tests.bench.comparison import Row, alternate
from tests.bench.load import LoadGenerator
from tests.bench.servers import ECHO_TARGET, PRODUCT_TARGET, echo_service, embedded_broker, product_service

ROUNDS = 9
_GETS, _QUICK_GETS = 1_000, 100
_PIPELINED = {ECHO_TARGET: 10_000, PRODUCT_TARGET: 5_000}
_QUICK_PIPELINED = 1_500
_BINDINGS, _QUICK_BINDINGS = 10_000, 500
_SERVICES = {ECHO_TARGET: "bare echo", PRODUCT_TARGET: "service"}
_US, _MS = 1e6, 1e3


def run(address: str, rounds: int | None, quick: bool) -> list[Row]:
    """Return the rows of this benchmark; the ratio is the embedded broker's figure divided by the other's."""
    gets, bindings = (_QUICK_GETS, _QUICK_BINDINGS) if quick else (_GETS, _BINDINGS)
    rows: list[Row] = []
    with ExitStack() as stack:
        embedded = stack.enter_context(_served(stack.enter_context(embedded_broker())))
        other = stack.enter_context(_served(address))

        def compare(name: str, unit: str, measure: Callable[[LoadGenerator], float], more_is_better: bool) -> None:
            contenders = {"embedded": lambda: [measure(embedded)], "other": lambda: [measure(other)]}
            results = alternate(rounds or ROUNDS, contenders)
            product, floor = ([one for (one,) in results[key]] for key in contenders)
            rows.append(Row(name, unit, product, floor, ("embedded", other.broker_product), more_is_better))

        for target, service in _SERVICES.items():
            pipelined = _QUICK_PIPELINED if quick else _PIPELINED[target]
            compare(f"sequential get, {service}, median", "us", _sequential(target, gets), False)
            compare(f"gets a second, {service}, pipelined", "/s", _pipelined(target, pipelined), True)
        compare(f"{bindings} bindings", "ms", _bindings(bindings), False)
    return rows


@contextmanager
def _served(address: str) -> Iterator[LoadGenerator]:
    """Give a load generator of a broker that has both services, warm."""
    with product_service(address), echo_service(address), LoadGenerator(address) as generator:
        for target in _SERVICES:
            generator.times(target, _QUICK_GETS)
            generator.rate(target, _QUICK_PIPELINED)
        yield generator


def _sequential(target: str, count: int) -> Callable[[LoadGenerator], float]:
    return lambda generator: _US * median(generator.times(target, count))


def _pipelined(target: str, count: int) -> Callable[[LoadGenerator], float]:
    return lambda generator: generator.rate(target, count)


def _bindings(count: int) -> Callable[[LoadGenerator], float]:
    def measure(generator: LoadGenerator) -> float:
        with LoadGenerator(generator.address) as fresh:  # confirms of gets can still come on the old one
            return _MS * fresh.binding_time(count)

    return measure

"""The loads of the other benchmarks on the embedded broker.

Floor: the same loads on RabbitMQ (or on the broker given), before the same services.
Target: no slower than RabbitMQ on any of them.
Command: python -m tests.bench embedded
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench import alert_consumer, clients, command_get, monitor, pipelined_get, sequential_get, set_log_on_set
from tests.bench import services as some_services
from tests.bench.children import Worker, worker
from tests.bench.comparison import MS, US, Measure, Row, Samples, Target, alternate, medians, p99s
from tests.bench.load import LoadGenerator
from tests.bench.request_many import client_words
from tests.bench.servers import (
    ECHO_TARGET,
    EMBEDDED,
    LOGGED_TARGET,
    PRODUCT_TARGET,
    RABBITMQ,
    RABBITMQ_PRODUCT,
    BenchBroker,
    broker,
    echo_service,
    product_service,
)
from tests.bench.setting import Setting
from tests.bench.start_up import product_life

_BINDING_PATIENCE = 120.0
_NOT_SLOWER = Target(1.0)


class _Side(NamedTuple):
    """A broker with what the loads need on it."""

    broker: BenchBroker
    client: Worker
    services: list[str]
    environment: dict[str, str]
    directory: Path


class _Load(NamedTuple):
    """What is measured on either side.

    Args:
        name: as in the table.
        unit: of the figure.
        measure: returns samples.
        scale: from the samples' unit to that of the figure.
        more_is_better: whether it is a rate.
        reduce: makes one figure of each round's samples.
    """

    name: str
    unit: str
    measure: Callable[[_Side], Samples]
    scale: float = 1.0
    more_is_better: bool = True
    reduce: Callable[[Iterable[Samples], float], Samples] = medians


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark; the ratio is the embedded broker's figure divided by the other's."""
    rows = []
    with ExitStack() as stack:
        own = stack.enter_context(_side(stack.enter_context(broker(EMBEDDED)), setting))
        other = stack.enter_context(_side(stack.enter_context(_other(setting)), setting))
        for load in _loads(setting):
            contenders: dict[str, Measure] = {
                "embedded": partial(load.measure, own),
                "other": partial(load.measure, other),
            }
            results = alternate(setting.rounds, contenders)
            ours, theirs = (load.reduce(samples, load.scale) for samples in results.values())
            names = ("embedded", "other")
            rows.append(Row(load.name, load.unit, ours, theirs, _NOT_SLOWER, names, load.more_is_better))
    return rows


@contextmanager
def _other(setting: Setting) -> Iterator[BenchBroker]:
    """Give the broker of the setting, unless it is one of ours: then a RabbitMQ."""
    with LoadGenerator(setting.address) as generator:
        is_rabbitmq = generator.broker_product == RABBITMQ_PRODUCT
    if is_rabbitmq:
        yield setting.broker
    else:
        with broker(RABBITMQ) as running:
            yield running


@contextmanager
def _side(running: BenchBroker, setting: Setting) -> Iterator[_Side]:
    with (
        product_service(running.address),
        echo_service(running.address),
        worker(client_words(running.address, PRODUCT_TARGET)) as client,
        some_services.services(running.address, setting.sized(4, 1)) as services,
        command_get.compiled(setting) as environment,
        tempfile.TemporaryDirectory() as directory,
    ):
        yield _Side(running, client, services, environment, Path(directory))


def _loads(setting: Setting) -> list[_Load]:
    gets, many, alerts = setting.sized(1_000, 20), setting.sized(10_000, 300), setting.sized(20_000, 100)
    size, each, bindings = setting.sized(50, 5), setting.sized(100, 5), setting.sized(10_000, 100)
    endpoints, runs = setting.sized(1_000, 5), setting.sized(3, 1)
    return [
        _Load("sequential get, bare echo, median", "us", _times(ECHO_TARGET, gets), US, False),
        _Load("sequential get, service, median", "us", _times(PRODUCT_TARGET, gets), US, False),
        _Load("sequential get, service, p99", "us", _times(PRODUCT_TARGET, gets), US, False, p99s),
        _Load("pipelined get, bare echo", "/s", _on(pipelined_get.rate, ECHO_TARGET, many)),
        _Load("pipelined get, service", "/s", _on(pipelined_get.rate, PRODUCT_TARGET, many)),
        _Load("set with log_on_set", "us", _on(set_log_on_set.times, LOGGED_TARGET, gets), US, False),
        _Load("pipelined set with log_on_set", "/s", _on(set_log_on_set.rate, LOGGED_TARGET, many // 2)),
        _Load("request_many", "/s", lambda side: [side.client.ask(str(many))]),
        _Load("monitor", "/s", _on(monitor.rate, alerts)),
        _Load("alert consumer", "/s", _on(alert_consumer.rate, alerts)),
        _Load(f"gets of {size} clients at once", "/s", _on(clients.rate, PRODUCT_TARGET, size, each)),
        _Load("pipelined get, several services", "/s", partial(_rate_of_services, many)),
        _Load(f"start-up, {endpoints} endpoints", "ms", partial(_start_up, endpoints), MS, False),
        _Load(f"{bindings} bindings", "ms", partial(_binding_time, bindings), MS, False),
        _Load("dragonfly get", "ms", partial(_command_seconds, runs), MS, False),
    ]


def _on(measure: Callable[..., Samples], *arguments: object) -> Callable[[_Side], Samples]:
    return lambda side: measure(side.broker.address, *arguments)


def _times(target: str, count: int) -> Callable[[_Side], Samples]:
    return _on(sequential_get.times, target, count)


def _rate_of_services(count: int, side: _Side) -> Samples:
    return some_services.rate(side.broker.address, side.services, count)


def _start_up(endpoints: int, side: _Side) -> Samples:
    return product_life(side.broker, endpoints, side.directory)[:1]


def _binding_time(count: int, side: _Side) -> Samples:
    with LoadGenerator(side.broker.address, _BINDING_PATIENCE) as fresh:  # no confirms may come in between
        return [fresh.binding_time(count)]


def _command_seconds(runs: int, side: _Side) -> Samples:
    return command_get.seconds(command_get.get_words(side.broker.address), side.environment, runs)

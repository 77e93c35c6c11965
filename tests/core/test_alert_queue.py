"""When the queue of an alert consumer is opened; what flows through it is tested on brokers, in tests/mesh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core import alert_queue
from dragonfly.core.alert_queue import AlertQueue


class PlayedConsumer:
    """Writes down how often it was opened, and what it was to call then."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        self.queue = "recorder.alerts"
        self.opened: list[tuple[Callable[[], None], Callable[[int, str], None]]] = []
        self.on_lost: Callable[[str], None] = lambda text: None

    def open(self, on_ready: Callable[[], None], on_refused: Callable[[int, str], None]) -> None:
        self.opened.append((on_ready, on_refused))


class PlayedConnection:
    """A connection whose timers the test runs."""

    heartbeat = 10.0
    blocked = None

    def __init__(self) -> None:
        self.on_down: list[Any] = []
        self.later: list[Callable[[], None]] = []

    def call_later(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        self.later.append(action)
        return lambda: None


class Bench:
    """A queue on a connection that a test plays."""

    def __init__(self) -> None:
        self.connection = PlayedConnection()
        wire: Any = type("Wire", (), {"connection": self.connection, "declarer": None})()
        self.flows = 0
        self.queue = AlertQueue(wire, "recorder.alerts", ["#"], False, lambda delivery: None, lambda text: None)
        self.consumer: Any = self.queue._consumer

    def flow(self) -> None:
        self.flows += 1

    def pass_time(self) -> None:
        later, self.connection.later = self.connection.later, []
        for action in later:
            action()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(alert_queue, "Consumer", PlayedConsumer)
    return Bench()


def test_it_is_open_when_messages_flow(bench: Bench) -> None:
    bench.queue.open(bench.flow)
    assert not bench.queue.is_open
    bench.consumer.opened[0][0]()
    assert (bench.queue.is_open, bench.flows) == (True, 1)


def test_while_it_is_being_opened_it_is_not_opened_a_second_time(bench: Bench) -> None:
    """Two channels would share the alerts, and those of the first were never acknowledged."""
    bench.queue.open(bench.flow)
    bench.consumer.opened[0][0]()
    bench.consumer.on_lost("somebody deleted the queue")
    bench.pass_time()
    bench.queue.open(bench.flow)  # the service's own queue was deleted as well, and is bound again
    assert len(bench.consumer.opened) == 2
    bench.consumer.opened[1][0]()
    assert (bench.queue.is_open, bench.flows) == (True, 2)


def test_what_was_to_be_opened_later_is_not_when_it_is_opened_now(bench: Bench) -> None:
    bench.queue.open(bench.flow)
    bench.consumer.opened[0][0]()
    bench.consumer.on_lost("somebody deleted the queue")
    bench.queue.open(bench.flow)
    bench.pass_time()
    assert len(bench.consumer.opened) == 2


def test_after_a_refusal_it_is_opened_again_when_its_time_has_come(bench: Bench) -> None:
    bench.queue.open(bench.flow)
    bench.consumer.opened[0][1](405, "it is another's")
    assert len(bench.consumer.opened) == 1
    bench.pass_time()
    assert len(bench.consumer.opened) == 2

"""When a service binds; how it comes onto a real mesh and back is tested in tests/mesh and tests/faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.exceptions import DriplineAMQPError, DriplineAMQPRoutingKeyError
from dragonfly.core.message import ReplyMessage
from dragonfly.core.pending import Pending
from dragonfly.core.service_binding import ASKED_AT_A_TIME, ServiceBinding


class Bench:
    """A connection, a requester and a queue that a test plays, all in one, and a binding on them."""

    heartbeat = 10.0
    blocked = None
    is_up = is_ready = True
    queue = "store"

    def __init__(self, names: list[str]) -> None:
        self.on_down: list[Callable[[ConnectionFailure], None]] = []
        self.on_ready: list[Callable[[], None]] = []
        self.on_lost: Callable[[str], None] = lambda text: None
        self.later: list[Callable[[], None]] = []
        self.asked: list[tuple[str, Pending]] = []
        self.opened = 0
        self.failures: list[str] = []
        all_in_one: Any = self
        self.binding = ServiceBinding(
            "store", names, all_in_one, all_in_one, all_in_one, lambda: None, self.failures.append
        )

    def call_later(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        self.later.append(action)
        return lambda: self.later.remove(action) if action in self.later else None

    def send(self, key: str, request: Any, timeout: float, pending: Pending, *, probe: bool) -> None:
        self.asked.append((key, pending))

    def forget(self, pending: Pending) -> None:
        """Do what a requester does: nothing here."""

    def open(self, on_ready: Callable[[], None], on_refused: Callable[[int, str], None]) -> None:
        self.opened += 1

    def pass_time(self) -> None:
        later, self.later = self.later, []
        for action in later:
            action()

    def answer(self, reply: Any) -> None:
        """Give the same answer to all that was asked."""
        asked, self.asked = self.asked, []
        for _, pending in asked:
            pending.on_reply(reply)


@pytest.fixture
def bench() -> Bench:
    return Bench(["store", "peaches"])


def nobody() -> ReplyMessage:
    return ReplyMessage({}, retcode=DriplineAMQPRoutingKeyError.retcode)


def test_it_opens_its_queue_when_all_its_names_are_free(bench: Bench) -> None:
    bench.binding.begin()
    assert [key for key, _ in bench.asked] == ["store.ping", "peaches.ping"]
    assert bench.opened == 0
    bench.answer(nobody())
    assert (bench.opened, bench.failures) == (1, [])


def test_a_name_that_the_broker_forbids_is_its_end(bench: Bench) -> None:
    bench.binding.begin()
    bench.answer(DriplineAMQPError("the broker refuses the request: ACCESS_REFUSED"))
    assert bench.opened == 0
    assert bench.failures == [
        "the broker refuses store one of its names: the broker refuses the request: ACCESS_REFUSED"
    ]


def test_many_names_are_asked_for_in_turns() -> None:
    bench = Bench([f"n{number}" for number in range(2 * ASKED_AT_A_TIME + 1)])
    bench.binding.begin()
    for expected in (ASKED_AT_A_TIME, ASKED_AT_A_TIME, 1):
        assert (len(bench.asked), bench.opened) == (expected, 0)
        bench.answer(nobody())
        bench.pass_time()
    assert bench.opened == 1


def test_what_was_to_be_opened_soon_is_not_on_the_next_connection(bench: Bench) -> None:
    """It would be open when the names are asked for, and the service would take itself for somebody else."""
    bench.binding.begin()
    bench.answer(nobody())
    bench.on_lost("the broker closed the channel")
    for action in bench.on_down:
        action(ConnectionFailure("the connection was lost"))
    bench.pass_time()
    assert bench.opened == 1
    for action in bench.on_ready:
        action()
    assert [key for key, _ in bench.asked] == ["store.ping", "peaches.ping"]


def test_a_question_that_was_not_sent_in_its_time_is_asked_again() -> None:
    bench = Bench(["store"])
    bench.binding.begin()
    bench.pass_time()
    assert bench.opened == 0
    bench.pass_time()
    ((key, pending),) = bench.asked[1:]
    assert key == "store.ping"
    pending.outgoing = Outgoing("requests", key, b"")
    pending.outgoing.attempts = 1
    bench.pass_time()
    assert bench.opened == 1
    assert bench.failures == []

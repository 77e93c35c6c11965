"""When a connection that says nothing is given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.amqp.heartbeat import Heartbeat

TIMEOUT = 10


class Link:
    """A connection with a clock that the test moves; the broker on it says something when the test says so."""

    def __init__(self) -> None:
        self.bytes_received, self.bytes_sent = 0, 0
        self.now = 0.0
        self.ended_at: float | None = None
        self.sent = 0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._timers and min(self._timers, key=lambda timer: timer[0])[0] <= end:
            first = min(self._timers, key=lambda timer: timer[0])
            self._timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = end

    def _adapter_call_later(self, seconds: float, action: Callable[[], None]) -> Any:
        self._timers.append((self.now + seconds, action))
        return self._timers[-1]

    def _send_frame(self, _frame: Any) -> None:
        self.sent += 1

    def _terminate_stream(self, _error: BaseException) -> None:
        self.ended_at = self.now


@pytest.fixture
def link() -> Link:
    link = Link()
    Heartbeat(link, TIMEOUT)
    return link


def test_a_silent_broker_is_given_up_after_two_heartbeats(link: Link) -> None:
    link.advance(2 * TIMEOUT - 0.1)
    assert link.ended_at is None
    link.advance(0.5 * TIMEOUT)
    assert link.ended_at == 2 * TIMEOUT


@pytest.mark.parametrize("spoke_at", [0.1, 4.9, 5.1, 12.0, 19.9])
def test_silence_counts_from_the_last_byte_and_is_noticed_half_a_heartbeat_later_at_most(
    link: Link, spoke_at: float
) -> None:
    link.advance(spoke_at)
    link.bytes_received += 1
    link.advance(4 * TIMEOUT)
    assert link.ended_at is not None
    assert 2 * TIMEOUT <= link.ended_at - spoke_at <= 2.5 * TIMEOUT


def test_a_broker_that_speaks_now_and_then_is_not_given_up(link: Link) -> None:
    for _ in range(20):
        link.advance(1.9 * TIMEOUT)
        link.bytes_received += 8
    assert link.ended_at is None


def test_a_heartbeat_is_sent_twice_in_its_time(link: Link) -> None:
    link.advance(TIMEOUT)
    assert link.sent == 2

"""A queue that is refused for what passes is opened again; another refusal is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.listener import Listener


class Played:
    """A listener whose connection is never made: the test plays the broker and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, exchange: str) -> None:
        self.listener = Listener("localhost", exchange, ["#"], "ear")
        self.queues: list[str] = []
        self.later: list[Callable[[], None]] = []
        consumer = self.listener._consumer

        def open_queue(on_ready: Callable[[], None], on_refused: Callable[[int, str], None]) -> None:
            self.queues.append(consumer.queue)
            self.opened, self.refuse = on_ready, on_refused

        monkeypatch.setattr(consumer, "open", open_queue)
        monkeypatch.setattr(self.listener, "_again", self.later.append)
        monkeypatch.setattr(self.listener._connection, "call_later", lambda seconds, action: None)
        self.listener._open()

    @property
    def is_told(self) -> bool:
        failure: ConnectionFailure | None = self.listener._failure
        return failure is not None or not self.listener._incoming.empty()


@pytest.mark.parametrize("code", [404, 405])
@pytest.mark.parametrize("is_begun", [False, True])
def test_a_queue_whose_exchange_is_away_is_opened_again_under_a_new_name(
    monkeypatch: pytest.MonkeyPatch, code: int, is_begun: bool
) -> None:
    played = Played(monkeypatch, "requests")
    if is_begun:
        played.opened()
    played.refuse(code, "NOT_FOUND - no exchange 'requests' in vhost '/'")
    assert not played.is_told
    played.later.pop()()
    assert len(set(played.queues)) == 2
    played.opened()
    assert played.listener._begun.is_set() and not played.is_told


@pytest.mark.parametrize(("exchange", "code"), [("requests", 403), ("unknown", 404)])
def test_what_will_never_be_is_told(monkeypatch: pytest.MonkeyPatch, exchange: str, code: int) -> None:
    played = Played(monkeypatch, exchange)
    reason: Any = "the reason"
    played.refuse(code, reason)
    assert played.is_told and not played.later

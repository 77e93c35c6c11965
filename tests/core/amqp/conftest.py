"""Fixtures of the tests of the room that talks AMQP."""

from typing import Any

import pytest

from dragonfly.core.amqp import alert_gate
from dragonfly.core.amqp.publisher import Publisher
from tests.core.amqp.played import PlayedConnection


@pytest.fixture
def link() -> PlayedConnection:
    return PlayedConnection()


@pytest.fixture
def publisher(link: PlayedConnection, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """Give a publisher that keeps 10 alerts, and after a reconnect waits for nobody before it sends them."""
    monkeypatch.setattr(alert_gate, "HOLD_SECONDS", 0.0)
    made: Any = link
    publisher = Publisher(made, made, alert_backlog=10)
    publisher._gate._clock = lambda: link.now
    return publisher

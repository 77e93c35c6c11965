"""Fixtures of the tests on a real mesh."""

import socket
from typing import Any

import pytest

from dragonfly.testing import RabbitMQNode


@pytest.fixture
def unused_address() -> str:
    """Give HOST:PORT where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def node(broker: Any) -> RabbitMQNode:
    """Give the broker where it is a node of our own, whose users and alarms a test may set."""
    if not isinstance(broker, RabbitMQNode):
        pytest.skip("the broker is somebody else's: its settings are not touched")
    return broker

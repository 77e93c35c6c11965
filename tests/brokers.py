"""Fixtures of tests that need brokers of several kinds, or their absence; a folder's conftest.py takes them in."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import require_rabbitmq


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


@pytest.fixture
def own_broker(broker_kind: str) -> Iterator[Broker | RabbitMQNode]:
    """Give a broker of the kind that nobody else uses, so that it can go away."""
    if broker_kind == "given":
        pytest.skip("the broker is somebody else's: it is not stopped")
    if broker_kind == "rabbitmq":
        require_rabbitmq()
    running: Broker | RabbitMQNode = RabbitMQNode() if broker_kind == "rabbitmq" else Broker()
    running.start()
    yield running
    running.stop()


@contextmanager
def cluster_of_two() -> Iterator[tuple[RabbitMQNode, RabbitMQNode]]:
    """Give two nodes of our own that are a cluster."""
    require_rabbitmq()
    first = RabbitMQNode()
    second = RabbitMQNode(beside=first)
    try:
        first.start()
        second.start()
        yield first, second
    finally:
        second.stop()
        first.stop()

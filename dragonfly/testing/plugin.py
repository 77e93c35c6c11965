"""The pytest plugin: fixtures that give a test a broker.

- DRAGONFLY_TEST_BROKER=HOST:PORT: use this server instead of starting one.
- DRAGONFLY_REQUIRE_RABBITMQ=1: a RabbitMQ that is not installed is a failure, not a reason to skip.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dragonfly.testing.mesh import Mesh
from dragonfly.testing.rabbitmq import RabbitMQNode

NOT_INSTALLED = "rabbitmq-server is not installed"


@dataclass(frozen=True)
class RunningBroker:
    """A broker that somebody else started and will end.

    Args:
        address: HOST:PORT.
    """

    address: str

    @property
    def url(self) -> str:
        """The broker as an AMQP URL, with the user guest."""
        return f"amqp://guest:guest@{self.address}/"


@pytest.fixture(scope="session")
def broker() -> Iterator[RabbitMQNode | RunningBroker]:
    """Give a running RabbitMQ, one for all tests of the session; `broker.address` is what `-b` takes."""
    address = os.environ.get("DRAGONFLY_TEST_BROKER")
    if address:
        yield RunningBroker(address)
        return
    require_rabbitmq()
    node = RabbitMQNode()
    node.start()
    yield node
    node.stop()


@pytest.fixture
def mesh(broker: RabbitMQNode | RunningBroker) -> Iterator[Mesh]:
    """Give a mesh on the broker: `mesh.serve(yaml)`, `mesh.client.get("peaches")`; all of it ends with the test."""
    with Mesh(broker.address) as running:
        yield running


def require_rabbitmq() -> None:
    """Skip the running test where RabbitMQ is not installed, or fail it where RabbitMQ is required."""
    if RabbitMQNode.installed():
        return
    if os.environ.get("DRAGONFLY_REQUIRE_RABBITMQ") == "1":
        pytest.fail(f"{NOT_INSTALLED}, and DRAGONFLY_REQUIRE_RABBITMQ=1", pytrace=False)
    pytest.skip(NOT_INSTALLED)

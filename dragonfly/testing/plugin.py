"""The pytest plugin: fixtures that give a test a broker, a mesh and a clock.

- `--broker embedded|rabbitmq|both`: what the fixture `broker` gives, the embedded broker by default; with `both`, each
  test that has the fixture runs twice. A test marked `rabbitmq` runs on RabbitMQ alone.
- DRAGONFLY_TEST_BROKER=HOST:PORT: use this server instead of starting one.
- DRAGONFLY_REQUIRE_RABBITMQ=1: a RabbitMQ that is not installed is a failure, not a reason to skip.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.testing.clock import ManualClock
from dragonfly.testing.mesh import Mesh
from dragonfly.testing.rabbitmq import RabbitMQNode

NOT_INSTALLED = "rabbitmq-server is not installed"
EMBEDDED, RABBITMQ, GIVEN = "embedded", "rabbitmq", "given"
_KINDS = {EMBEDDED: [EMBEDDED], RABBITMQ: [RABBITMQ], "both": [EMBEDDED, RABBITMQ]}


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that chooses the broker."""
    group = parser.getgroup("dragonfly")
    group.addoption(
        "--broker", choices=list(_KINDS), default=EMBEDDED, help="the broker that tests run on (default: %(default)s)"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that has a broker on the brokers that were chosen."""
    if "broker_kind" not in metafunc.fixturenames:
        return
    chosen: list[Any] = _KINDS[metafunc.config.getoption("--broker")]
    if os.environ.get("DRAGONFLY_TEST_BROKER"):
        chosen = [GIVEN]
    elif metafunc.definition.get_closest_marker(RABBITMQ):
        skipped = pytest.mark.skip(reason="it needs RabbitMQ: --broker rabbitmq or both")
        chosen = [RABBITMQ] if RABBITMQ in chosen else [pytest.param(RABBITMQ, marks=skipped)]
    metafunc.parametrize("broker_kind", chosen, indirect=True, scope="session")


@pytest.fixture(scope="session")
def broker_kind(request: pytest.FixtureRequest) -> str:
    """Tell which kind of broker the test runs on; `broker` needs it."""
    return str(request.param)


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitMQNode]:
    """Give a node of RabbitMQ, started when the first test needs it; it ends with the session.

    It is a fixture of its own because pytest ends `broker` each time that it goes from one kind to the other, and a
    node takes several seconds to start.
    """
    require_rabbitmq()
    node = RabbitMQNode()
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="session")
def broker(broker_kind: str, request: pytest.FixtureRequest) -> Iterator[Broker | RabbitMQNode | RunningBroker]:
    """Give a running broker, one of a kind for all tests of the session; `broker.address` is what `-b` takes."""
    if broker_kind == GIVEN:
        yield RunningBroker(os.environ["DRAGONFLY_TEST_BROKER"])
    elif broker_kind == EMBEDDED:
        with Broker() as embedded:
            yield embedded
    else:
        yield request.getfixturevalue("rabbitmq_node")


@pytest.fixture
def mesh(broker: Broker | RabbitMQNode | RunningBroker) -> Iterator[Mesh]:
    """Give a mesh on the broker: `mesh.serve(yaml)`, `mesh.client.get("peaches")`; all of it ends with the test."""
    with Mesh(broker.address) as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands still; after `mesh.serve(yaml, clock=clock)`, `clock.advance(30)` lets 30 s pass."""
    return ManualClock()


def require_rabbitmq() -> None:
    """Skip the running test where RabbitMQ is not installed, or fail it where RabbitMQ is required."""
    if RabbitMQNode.installed():
        return
    if os.environ.get("DRAGONFLY_REQUIRE_RABBITMQ") == "1":
        pytest.fail(f"{NOT_INSTALLED}, and DRAGONFLY_REQUIRE_RABBITMQ=1", pytrace=False)
    pytest.skip(NOT_INSTALLED)

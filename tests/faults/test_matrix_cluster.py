"""A cluster of two nodes, of which one dies: what is promised to each of the six (see matrix.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dragonfly.testing import Mesh, RabbitMQNode
from tests.brokers import cluster_of_two
from tests.faults.cells import Records, cells, check
from tests.faults.faults import NodeDies
from tests.faults.scenario import record_of
from tests.mesh.recorder import TALKER, got, recorder, say
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[RabbitMQNode, RabbitMQNode]]:
    """Give two nodes that are a cluster."""
    with cluster_of_two() as both:
        yield both


@pytest.fixture(scope="module")
def records(nodes: tuple[RabbitMQNode, RabbitMQNode]) -> Records:
    return Records(lambda fault: record_of(NodeDies(*nodes)))


@cells("cluster")
def test_the_promise_is_kept(
    subject: str, fault: str, records: Records, measured: Callable[[str, str, str], None]
) -> None:
    check(subject, fault, records, measured)


def test_a_consumer_waits_for_the_node_that_alone_has_its_durable_queue(
    nodes: tuple[RabbitMQNode, RabbitMQNode], caplog: pytest.LogCaptureFixture
) -> None:
    for node in nodes:
        node.start()
    first, second = nodes
    with Mesh(f"{first.address},{second.address}") as mesh:
        consumer = recorder(mesh, queue="kept")
        talker = mesh.serve(TALKER)
        say(talker, "a", 1)
        assert got(consumer, 1)
        first.kill()
        assert wait_until(lambda: "the queue kept is opened again: NOT_FOUND" in caplog.text, 20.0)
        assert mesh.client.cmd("recorder", "ping").retcode == 0
        say(talker, "a", 2, 3)
        first.start()
        assert wait_until(lambda: set(consumer._got) == {1, 2, 3}, 10.0)
        assert caplog.text.count("the queue kept is opened again: NOT_FOUND") == 1

"""Two private nodes of RabbitMQ form a cluster, which one of them may leave and come back to."""

from collections.abc import Iterator

import pytest

from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import require_rabbitmq
from tests.brokers import cluster_of_two
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
def cluster() -> Iterator[tuple[RabbitMQNode, RabbitMQNode]]:
    with cluster_of_two() as both:
        yield both


def running_nodes(node: RabbitMQNode) -> int:
    return len(node.ctl("eval", "rabbit_nodes:all_running().").split(","))


def test_two_nodes_share_their_queues_and_one_lives_on_without_the_other(
    cluster: tuple[RabbitMQNode, RabbitMQNode],
) -> None:
    first, second = cluster
    assert first.port != second.port
    with RawClient(first.address) as one, RawClient(second.address) as other:
        queue = one.listen("shared", "alerts", "#")
        other.publish("x", b"said on the second node", exchange="alerts")
        seen = one.next(queue)
        assert seen is not None
        assert seen.body == b"said on the second node"
    assert running_nodes(first) == running_nodes(second) == 2
    first.kill()
    assert wait_until(lambda: running_nodes(second) == 1, 10.0)
    with RawClient(second.address) as alone:
        assert alone.channel.is_open
    first.start()
    assert running_nodes(second) == 2


def test_a_node_beside_one_that_does_not_run_is_refused() -> None:
    require_rabbitmq()
    with pytest.raises(RuntimeError, match="the node beside which this one is to start does not run"):
        RabbitMQNode(beside=RabbitMQNode()).start()

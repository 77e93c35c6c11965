"""A client of a broker that says nothing any more still ends, and leaves nothing open."""

from __future__ import annotations

import time

import pytest

from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineAMQPRoutingKeyError, DriplineTimeoutError
from dragonfly.core.interface import Interface
from dragonfly.testing import FaultProxy, RabbitMQNode

pytestmark = pytest.mark.rabbitmq

# How long a request and the end of a client may take, s.
TIMEOUT, LATER, CLOSING = 0.5, 0.5, 4.0


@pytest.mark.parametrize("was_made", [False, True], ids=["half made", "made"])
def test_a_client_whose_broker_does_not_answer_any_more_closes_and_leaves_no_socket(
    node: RabbitMQNode, was_made: bool
) -> None:
    with FaultProxy(node.address) as proxy:
        with Interface(proxy.address) as client:
            if was_made:
                with pytest.raises(DriplineAMQPRoutingKeyError):
                    client.get("plums")
            proxy.stall()
            began = time.monotonic()
            with pytest.raises(DriplineTimeoutError if was_made else DriplineAMQPConnectionError):
                client.get("plums", timeout=TIMEOUT)
            assert time.monotonic() - began < TIMEOUT + LATER
            began = time.monotonic()
        assert time.monotonic() - began < CLOSING
        proxy.restore()
        proxy.wait_for(connections=0)

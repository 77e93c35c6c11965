"""A broker that takes no large messages: only the large ones fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dragonfly.core.exceptions import DriplineAMQPError
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import require_rabbitmq
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq

LIMIT = 10_000
STORE = """
name: my_store
endpoints:
  - {name: peaches, module: kv_store_key, calibration: "'{}'"}
  - {name: chips, module: kv_store_key}
"""


@pytest.fixture(scope="module")
def strict() -> Iterator[RabbitMQNode]:
    require_rabbitmq()
    node = RabbitMQNode(config=f"max_message_size = {LIMIT}")
    node.start()
    yield node
    node.stop()


def test_only_what_is_too_large_fails(strict: RabbitMQNode, caplog: pytest.LogCaptureFixture) -> None:
    with Mesh(strict.address) as mesh:
        service = mesh.serve(STORE)
        client = mesh.client
        with pytest.raises(DriplineAMQPError, match="message size .* is larger than configured max size"):
            client.set("peaches", "x" * LIMIT)
        assert client.set("peaches", "x" * (LIMIT - 1_000)).retcode == 0
        reply = client.get("peaches")  # it has the value twice
        assert reply.retcode == 303
        assert "the broker refuses the reply" in reply.return_msg
        service.send_alert("number", "x" * LIMIT)
        service.send_alert("number", 1)
        assert client.set("chips", 2).retcode == 0
        assert client.get("chips").payload == {"value_raw": "2"}
        publisher = service._life.wire.publisher if service._life.wire else None
        assert publisher is not None
        assert wait_until(lambda: publisher.unfinished == 0)
    refused = [message for message in caplog.messages if message.startswith("the broker refused number")]
    assert len(refused) == 1

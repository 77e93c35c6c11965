"""What a broker forbids is a clear sentence at the client, and harms nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineAMQPError
from dragonfly.core.interface import Interface
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.program import dragonfly

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
def reader(node: RabbitMQNode) -> Iterator[str]:
    """Give the URL of a user who declares no exchange and may send to chips only."""
    node.ctl("add_user", "reader", "secret")
    node.ctl(
        "set_permissions", "reader", "^request_reply.*", "^(requests|request_reply.*)", "^(requests|request_reply.*)"
    )
    node.ctl("set_topic_permissions", "reader", "requests", "^chips", ".*")
    yield f"amqp://reader:secret@{node.address}/"
    node.ctl("delete_user", "reader")


def test_a_user_with_few_permissions_gets_what_is_allowed_and_a_sentence_for_the_rest(mesh: Mesh, reader: str) -> None:
    mesh.serve(TUTORIAL)
    with Interface(reader, "reader", timeout=5.0) as client:
        assert client.get("chips").payload["value_cal"] == 5.25  # exchanges that it may not declare are there
        with pytest.raises(DriplineAMQPError, match="access to topic 'peaches' in exchange 'requests'.*refused"):
            client.get("peaches")
        assert client.get("chips").payload["value_cal"] == 5.25


def test_wrong_passwords_and_forbidden_hosts_are_one_sentence_without_the_password(node: RabbitMQNode) -> None:
    url = f"amqp://nobody:hush@{node.address}/"
    with Interface(url) as client, pytest.raises(DriplineAMQPConnectionError) as caught:
        client.get("peaches")
    assert str(caught.value) == f"broker {node.address} refused user nobody"
    for words in (["get", "peaches", "-b", url], ["monitor", "-b", url], ["serve", "-c", str(TUTORIAL), "-b", url]):
        ended = dragonfly(node.address, *words)
        assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (3, "", 1), ended
        assert f"broker {node.address} refused user nobody" in ended.stderr
        assert "hush" not in ended.stderr


def test_a_virtual_host_that_is_not_there_is_named(node: RabbitMQNode) -> None:
    ended = dragonfly(node.address, "get", "peaches", "-b", f"amqp://guest:guest@{node.address}/nowhere")
    assert (ended.status, ended.stderr.count("\n")) == (3, 1)
    assert "virtual host nowhere" in ended.stderr

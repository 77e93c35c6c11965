"""An exchange that somebody deletes at a bad moment keeps nobody off the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from dragonfly.core import Interface
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.constants import REQUESTS
from dragonfly.core.exceptions import DriplineError
from dragonfly.core.listener import Listener
from dragonfly.testing import Mesh, RabbitMQNode
from tests.mesh.raw import RawClient
from tests.waiting import wait_until


def strike(monkeypatch: pytest.MonkeyPatch, queue: str) -> None:
    """Delete the exchange when the first queue whose name begins so is about to be bound to it."""
    declare, tries = Consumer._declare, count(1)

    def declare_on_nothing(consumer: Consumer, channel: Any, bound: Any) -> None:
        if consumer.queue.startswith(queue) and next(tries) == 1:
            channel.exchange_delete(REQUESTS)
        declare(consumer, channel, bound)

    monkeypatch.setattr(Consumer, "_declare", declare_on_nothing)
    monkeypatch.setattr("dragonfly.core.service_binding.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("dragonfly.core.amqp.declarer.RETRY_SECONDS", 0.05)


@pytest.mark.parametrize(
    ("queue", "name"), [("unlucky", "unlucky"), ("request_reply", "the reply queue")], ids=["service", "replies"]
)
def test_a_service_whose_exchange_goes_while_it_binds_tries_again(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, queue: str, name: str
) -> None:
    strike(monkeypatch, queue)
    mesh.serve("name: unlucky\n")
    assert mesh.client.cmd("unlucky", "ping").retcode == 0
    assert [text for text in caplog.messages if text.startswith(f"{name} is declared again: ")]


def test_a_client_whose_exchange_goes_while_it_binds_asks_all_the_same(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(monkeypatch, "request_reply")
    with Interface(mesh.address, confirm_retcodes=False) as client:
        assert client.cmd("nobody", "ping").retcode == 102
        mesh.serve("name: late\n")
        assert client.cmd("late", "ping").retcode == 0


def test_a_monitor_whose_exchange_goes_while_it_binds_hears_what_comes(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(monkeypatch, "ear-")
    with Listener(mesh.address, REQUESTS, ["heard.ping"], "ear") as listener:
        mesh.serve("name: heard\n")
        assert mesh.client.cmd("heard", "ping").retcode == 0
        heard = listener.next(5.0)
        assert heard is not None and heard.routing_key == "heard.ping"


@pytest.fixture
def guest_of_exchanges(node: RabbitMQNode) -> Iterator[str]:
    """Give the URL of a user who makes no exchange."""
    node.ctl("add_user", "visitor", "secret")
    node.ctl("set_permissions", "visitor", "^(request_reply|ear-).*", ".*", ".*")
    yield f"amqp://visitor:secret@{node.address}/"
    node.ctl("delete_user", "visitor")


@pytest.mark.rabbitmq
def test_who_may_make_no_exchange_waits_until_it_is_made_again(
    mesh: Mesh, guest_of_exchanges: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Interface(guest_of_exchanges, timeout=0.5, confirm_retcodes=False) as client,
        Listener(guest_of_exchanges, REQUESTS, ["again.ping"], "ear") as listener,
    ):
        assert client.cmd("nobody", "ping").retcode == 102
        with RawClient(mesh.address) as raw:
            raw.channel.exchange_delete(REQUESTS)
        with pytest.raises(DriplineError):
            client.cmd("nobody", "ping")
        assert wait_until(lambda: "waiting until it is made again" in caplog.text)
        mesh.serve("name: again\n")

        def is_answered() -> bool:
            try:
                return client.cmd("again", "ping").retcode == 0
            except DriplineError as err:
                assert "refuses us" not in str(err)
                return False

        assert wait_until(is_answered, 15.0)
        listener._connection.call(listener._consumer.bind_again)  # as it does every 30 s
        assert wait_until(lambda: is_answered() and listener.next(0.1) is not None, 15.0)
    assert "refuses us" not in caplog.text

"""An exchange that somebody deletes at a bad moment keeps nobody off the mesh."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from dragonfly.core.amqp.consumer import Consumer
from dragonfly.testing import Mesh


def test_a_service_whose_exchange_goes_while_it_binds_tries_again(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    declare, tries = Consumer._declare, count(1)

    def declare_on_nothing(consumer: Consumer, channel: Any, bound: Any) -> None:
        if consumer.queue == "unlucky" and next(tries) == 1:
            channel.exchange_delete("requests")
        declare(consumer, channel, bound)

    monkeypatch.setattr(Consumer, "_declare", declare_on_nothing)
    monkeypatch.setattr("dragonfly.core.service_binding.RETRY_SECONDS", 0.05)
    mesh.serve("name: unlucky\n")
    assert mesh.client.cmd("unlucky", "ping").retcode == 0
    assert [text for text in caplog.messages if text.startswith("unlucky is declared again: ")]

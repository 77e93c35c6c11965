"""After a restart of the broker alerts wait until all are back: who is first takes them from nobody."""

from __future__ import annotations

import pytest

from dragonfly.core.constants import ALERTS
from dragonfly.core.listener import Listener
from dragonfly.testing import FaultProxy, Mesh, RabbitMQNode
from tests.mesh.recorder import TALKER, recorder, say
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq


def test_a_monitor_that_is_back_first_takes_nothing_from_a_durable_queue(own_broker: RabbitMQNode) -> None:
    with (
        FaultProxy(own_broker.address) as line,
        Mesh(own_broker.address) as mesh,
        Mesh(line.address) as distant,
        Listener(own_broker.address, ALERTS, ["#"], "monitor@test") as monitor,
    ):
        consumer = recorder(distant, queue="kept")
        talker = mesh.serve(TALKER)
        own_broker.ctl("eval", "mnesia:sync_log().")  # a queue as young as this one is lost with the broker
        line.refuse()
        own_broker.kill()
        assert wait_until(lambda: not monitor._connection.is_up)
        say(talker, "a", *range(50))
        own_broker.start()
        assert wait_until(lambda: monitor._is_open and bool(talker.statistics["reconnects"]), 20.0)
        say(talker, "a", *range(50, 100))
        line.restore()
        assert wait_until(lambda: len(consumer._got) == 100, 20.0), (len(consumer._got), talker.statistics)
        assert consumer._got == list(range(100))
        assert sum(len(monitor.next_burst(0.5)) for _ in range(5)) == 100

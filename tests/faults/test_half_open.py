"""A link that is dead on one side only: the service is back when the broker has noticed, and not much later."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dragonfly.testing import FaultProxy, RabbitMQNode
from tests.faults.asking import Asker
from tests.faults.laboratory import Laboratory

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

HEARTBEAT = 2
# What the promise gives a service to be back after its link went half-open, s.
PROMISED = 3 * HEARTBEAT + 5.0
TOPIC = "Half-open links"
_WORDS = {"both": "either way", "to_broker": "to the broker", "from_broker": "from the broker"}


def test_a_service_whose_name_a_dead_link_holds_is_back_within_three_heartbeats_and_5_s(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path
) -> None:
    with (
        FaultProxy(broker.address) as proxy,
        Laboratory(proxy.address, broker.address, tmp_path, HEARTBEAT) as laboratory,
        Asker(broker.address) as asker,
    ):
        proxy.half_open()
        seconds = asker.seconds_until_answered("peaches", 2 * PROMISED)
        laboratory.assert_as_before(reconnects=1)
        laboratory.assert_heard()
    assert seconds < PROMISED
    what = f"a service whose old link the broker still holds answers again, heartbeat {HEARTBEAT} s"
    measured(TOPIC, what, f"{seconds:.1f} s")


@pytest.mark.parametrize("direction", list(_WORDS))
def test_a_service_whose_link_carries_nothing_notices_it_and_is_back_in_that_time(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path, direction: str
) -> None:
    with (
        FaultProxy(broker.address) as proxy,
        Laboratory(proxy.address, broker.address, tmp_path, HEARTBEAT) as laboratory,
        Asker(broker.address) as asker,
    ):
        began = time.monotonic()
        proxy.stall(direction)
        # The one that the service had, and the one that it tries when it has noticed: from now on it can come through.
        proxy.wait_for(accepted=2, timeout=PROMISED)
        noticed = time.monotonic() - began
        proxy.restore()
        seconds = noticed + asker.seconds_until_answered("peaches", 2 * PROMISED)
        laboratory.assert_as_before(reconnects=1)
    assert seconds < PROMISED
    what = f"a service whose link carries nothing ({_WORDS[direction]}) answers again, heartbeat {HEARTBEAT} s"
    measured(TOPIC, what, f"{seconds:.1f} s, of which it took {noticed:.1f} s to notice")

"""A service comes back by itself, for ever, with all that it had, and needs no more for it each time."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dragonfly.broker import Broker
from dragonfly.testing import FaultProxy, RabbitMQNode
from tests.conftest import Counts
from tests.faults.asking import Asker
from tests.faults.laboratory import Laboratory
from tests.faults.usage import assert_no_growth, usage_of

Measured = Callable[[str, str, str], None]

# What the promise gives a service to be back, s.
PROMISED = 5.0
CUTS_A_RESTART = 20
# How much more a service may have after the last fault than after the warm-up: memory in MiB, since the system hands it
# out and takes it back in pieces of up to 1 MiB; and objects, since for 30 s a dozen stay that belong to the timers of
# each connection. One of pika's connections that is never let go would be forty each time.
# Each lane may have a thread when it is looked at: they log.
ROOM, OBJECTS, LANES = 3.0, 2_500, 4
TOPIC = "Restarts"
# How often a service has tried to connect when its pauses are as long as they get, and how long they may be then, s: 2,
# and what a try takes.
TRIES, LONGEST_PAUSE = 8, 3.0


class Growth:
    """What a service has in use after a warm-up and at the end."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._objects = laboratory.objects()
        self._before = usage_of(laboratory.process.pid)

    def assert_none(self, measured: Measured, faults: str) -> None:
        """Check that there is no more of anything."""
        after = assert_no_growth(self._laboratory.process.pid, self._before, ROOM, LANES)
        objects = self._laboratory.objects() - self._objects
        assert objects < OBJECTS
        more = f"{after.memory - self._before.memory:+.1f} MiB and {objects:+} objects since a fifth of them"
        measured(TOPIC, f"what a service has in use after {faults}", f"{after.text}: {more}")


def spread(seconds: Iterable[float]) -> str:
    """Return what a figure says of many times."""
    times = list(seconds)
    return f"median {statistics.median(times):.2f} s, at most {max(times):.2f} s"


@pytest.mark.rabbitmq
def test_a_service_is_back_within_5_s_each_time_its_broker_restarts(
    own_broker: RabbitMQNode, counts: Counts, measured: Measured, tmp_path: Path
) -> None:
    seconds = []
    with Laboratory(own_broker.address, own_broker.address, tmp_path) as laboratory:
        for number in range(counts.restarts):
            if number % 2:
                own_broker.restart()
            else:
                own_broker.kill()
                own_broker.start()
            with Asker(own_broker.address) as asker:
                seconds.append(asker.seconds_until_answered("peaches", 2 * PROMISED))
            laboratory.assert_as_before(reconnects=number + 1)
            if number == counts.restarts // 5:
                growth = Growth(laboratory)
        laboratory.assert_heard()
        growth.assert_none(measured, f"{counts.restarts} restarts of RabbitMQ")
    assert max(seconds) < PROMISED, seconds
    what = f"a service answers again after RabbitMQ does, {counts.restarts} restarts (kill -9 and orderly in turn)"
    measured(TOPIC, what, spread(seconds))


@pytest.mark.rabbitmq
def test_a_service_is_back_each_time_its_connection_is_cut_and_does_not_grow(
    broker: RabbitMQNode, counts: Counts, measured: Measured, tmp_path: Path
) -> None:
    cuts = counts.restarts * CUTS_A_RESTART
    seconds = []
    with (
        FaultProxy(broker.address) as proxy,
        Laboratory(proxy.address, broker.address, tmp_path) as laboratory,
        Asker(broker.address) as asker,
    ):
        for number in range(cuts):
            proxy.cut(reset=bool(number % 2))
            seconds.append(asker.seconds_until_answered("peaches", 2 * PROMISED))
            if number == cuts // 5:
                growth = Growth(laboratory)
        laboratory.assert_as_before(reconnects=cuts)
        laboratory.assert_heard()
        growth.assert_none(measured, f"{cuts} cuts of its connection")
    assert max(seconds) < PROMISED, seconds
    measured(TOPIC, f"a service answers again after its connection was cut, {cuts} cuts", spread(seconds))


def test_a_service_tries_at_least_every_2_s_however_long_its_broker_is_away(measured: Measured, tmp_path: Path) -> None:
    with Broker() as broker, FaultProxy(broker.address) as proxy:
        port = int(broker.address.rpartition(":")[2])
        with Laboratory(proxy.address, broker.address, tmp_path) as laboratory:
            broker.stop()  # the proxy takes each try, and ends it at once
            tried = []
            for number in range(TRIES):
                proxy.wait_for(accepted=2 + number, timeout=2 * PROMISED)
                tried.append(time.monotonic())
            with Broker(port=port), Asker(broker.address) as asker:
                seconds = asker.seconds_until_answered("peaches", 2 * PROMISED)
                laboratory.assert_as_before(reconnects=1)
    pauses = [after - before for before, after in itertools.pairwise(tried)]
    assert max(pauses) < LONGEST_PAUSE, pauses
    assert seconds < PROMISED
    away = tried[-1] - tried[0]
    measured(TOPIC, f"the longest pause between two tries to connect, in {away:.0f} s", f"{max(pauses):.1f} s")

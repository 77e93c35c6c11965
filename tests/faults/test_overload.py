"""More requests than a service can serve: what it refuses, what it keeps, what that costs, and how it is afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dragonfly.core.interface import Interface
from dragonfly.core.lane import DEFAULT_MAX_THREADS, LANE_LIMIT
from dragonfly.testing import RabbitMQNode
from tests.conftest import Counts
from tests.faults.laboratory import serve
from tests.faults.sending import Sender
from tests.faults.silent_instrument import SilentInstrument
from tests.faults.usage import assert_no_growth, usage_of

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]
OK, BUSY = 0, 320
TOPIC = "Overload"
# So many gets are sent without a look at what comes back: more than twice what a lane holds, as fast as they go.
FLOOD = 2 * LANE_LIMIT
# What a waiting request may cost, KiB: the bytes of it that came, what they mean, and its place in the lane.
PER_REQUEST = 16.0
# How long a refusal may take, s, and how much memory may stay in use after all lanes were at work, MiB.
AT_ONCE, IDLE_ROOM = 1.0, 16.0
# How many gets measure a rate, the best of how many times counts, and how much slower it may be afterwards: what else
# the machine does makes single rates differ by as much.
RATED, RATES, SLOWER = 3_000, 3, 0.5


def rate(client: Interface) -> float:
    """Return how many gets of peaches are answered, 1/s."""
    return max(_rate(client) for _ in range(RATES))


def _rate(client: Interface) -> float:
    began = time.perf_counter()
    assert not any(reply.failed for reply in client.request_many(["peaches"] * RATED))
    return RATED / (time.perf_counter() - began)


def refused(sender: Sender, count: int) -> Counter[int]:
    """Send more gets than a lane takes, in floods; return the codes of those that it does not keep."""
    found: Counter[int] = Counter()
    kept = LANE_LIMIT
    for begin in range(0, count, FLOOD):
        sent = min(FLOOD, count - begin)
        for _ in range(sent):
            sender.send("peaches")
        found += sender.next_codes(sent - kept)
        kept = 0
    return found


def test_a_lane_with_far_too_many_requests_refuses_them_in_bounded_memory_and_is_as_fast_afterwards(
    broker: RabbitMQNode, counts: Counts, measured: Measured, tmp_path: Path
) -> None:
    quick = {"module": "kv_store_key", "initial_value": 1}
    with SilentInstrument() as instrument:
        held = {
            "name": "held",
            "module": "kv_store",
            "endpoints": [instrument.endpoint("gate"), {"name": "peaches", **quick}],
        }
        config = {"name": "lab", "endpoints": [held, {"name": "plums", **quick}]}
        with (
            serve(broker.address, config, tmp_path) as service,
            Sender(broker.address) as sender,
            Interface(broker.address) as client,
        ):
            speed = rate(client)
            before = usage_of(service.process.pid)
            sender.send("gate")
            instrument.wait_for(1)
            assert refused(sender, counts.messages) == {BUSY: counts.messages - LANE_LIMIT}
            full = usage_of(service.process.pid)
            statistics = client.get("lab.statistics").payload
            assert client.get("plums").retcode == OK
            instrument.release()
            assert sender.next_codes(LANE_LIMIT + 1) == {OK: LANE_LIMIT + 1}
            speed_afterwards = rate(client)
            peak = usage_of(service.process.pid).peak
    assert statistics["requests_refused"] == counts.messages - LANE_LIMIT
    assert statistics["lanes"]["held"]["depth"] == LANE_LIMIT
    grown = max(full.memory - before.memory, peak - before.peak)
    assert grown * 1024 < PER_REQUEST * LANE_LIMIT
    assert speed_afterwards > SLOWER * speed
    what = f"memory of a service whose lane gets {counts.messages} requests while its instrument hangs"
    measured(TOPIC, what, f"{grown:.0f} MiB more for the {LANE_LIMIT} that wait; the others got {BUSY}")
    what = f"gets a second after that, against before (the best of {RATES} times {RATED})"
    measured(TOPIC, what, f"{speed_afterwards:.0f} against {speed:.0f}")


def test_a_service_whose_threads_all_hang_refuses_at_once_and_goes_on_afterwards(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path
) -> None:
    more = 4
    names = [f"hung_{number}" for number in range(DEFAULT_MAX_THREADS + more)]
    with SilentInstrument() as instrument:
        config = {"name": "lab", "endpoints": [instrument.endpoint(name) for name in names]}
        with serve(broker.address, config, tmp_path) as service, Sender(broker.address) as sender:
            before = usage_of(service.process.pid)
            for name in names[:-more]:
                sender.send(name)
            instrument.wait_for(DEFAULT_MAX_THREADS)
            began = time.monotonic()
            for name in names[-more:]:
                sender.send(name)
            assert sender.next_codes(more) == {BUSY: more}
            seconds = time.monotonic() - began
            full = usage_of(service.process.pid)
            with Interface(broker.address) as client:
                assert client.cmd("hung_0", "ping").retcode == OK
            instrument.release()
            assert sender.next_codes(DEFAULT_MAX_THREADS) == {OK: DEFAULT_MAX_THREADS}
            sender.send(names[-1])
            instrument.wait_for(1)
            instrument.release()
            assert sender.next_codes(1) == {OK: 1}
            assert_no_growth(service.process.pid, before, IDLE_ROOM)
    assert seconds < AT_ONCE
    measured(
        TOPIC, f"a request to a further lane while {DEFAULT_MAX_THREADS} hang", f"{BUSY} in {seconds * 1e3:.0f} ms"
    )
    cost = (full.memory - before.memory) / DEFAULT_MAX_THREADS * 1024
    measured(TOPIC, f"memory of a hung lane, of {DEFAULT_MAX_THREADS}", f"{cost:.0f} KiB")

"""An instrument that hangs delays only its own lane: not the others, and not the connection."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragonfly.core.interface import Interface
from dragonfly.testing import RabbitMQNode
from tests.faults.laboratory import serve
from tests.faults.sending import Sender
from tests.faults.silent_instrument import SilentInstrument

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

HEARTBEAT = 1
HUNG = 50
# How long the instruments hang, s: in a share of the tests longer than a connection lives without heartbeats.
SHARE_SECONDS, ALL_SECONDS = 4.0 * HEARTBEAT, 30.0
ROUNDS = 7
GETS = 200
# How much slower the others may be, as a ratio of medians: as one machine does all the work here, half as much again.
SLOWER = 1.5
# How long the slowest get of another lane may take, s: a part of what the instruments hang.
SLOWEST = 1.0
# For so long nobody says a word, so that nothing but heartbeats holds the connection: no broker waits longer, s.
SILENCE = 3.2 * HEARTBEAT


@contextmanager
def served(broker: RabbitMQNode, directory: Path, instrument: SilentInstrument) -> Iterator[tuple[Sender, Interface]]:
    hung = [instrument.endpoint(f"hung_{number}") for number in range(HUNG)]
    quick = {"name": "peaches", "module": "kv_store_key", "initial_value": 1}
    config = {"name": "lab", "heartbeat": HEARTBEAT, "endpoints": [*hung, quick]}
    with (
        serve(broker.address, config, directory),
        Sender(broker.address) as sender,
        Interface(broker.address) as client,
    ):
        yield sender, client


def hang(sender: Sender, instrument: SilentInstrument) -> None:
    for number in range(HUNG):
        sender.send(f"hung_{number}")
    instrument.wait_for(HUNG)


def release(sender: Sender, instrument: SilentInstrument) -> None:
    instrument.release()
    assert sender.next_codes(HUNG) == {0: HUNG}


def get_times(client: Interface) -> list[float]:
    """Return how long each of so many gets took, one after another, s."""
    seconds = []
    for _ in range(GETS):
        began = time.perf_counter()
        client.get("peaches")
        seconds.append(time.perf_counter() - began)
    return seconds


def test_50_hung_instruments_leave_the_others_at_their_usual_speed_and_the_connection_alive(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seconds = ALL_SECONDS if pytestconfig.getoption("full") else SHARE_SECONDS
    with SilentInstrument() as instrument, served(broker, tmp_path, instrument) as (sender, client):
        hang(sender, instrument)
        took = get_times(client)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            threading.Event().wait(SILENCE)
            took += get_times(client)
        release(sender, instrument)
        assert client.get("lab.statistics").payload["reconnects"] == 0
    assert max(took) < SLOWEST
    hang_of = f"while {HUNG} other lanes hang for at least {seconds:g} s, heartbeat {HEARTBEAT} s"
    what = f"the slowest of {len(took)} gets {hang_of}"
    measured("Hung instruments", what, f"{max(took) * 1000:.0f} ms, and no reconnect")


def test_50_hung_instruments_cost_the_others_no_speed(broker: RabbitMQNode, measured: Measured, tmp_path: Path) -> None:
    usual, beside = [], []
    with SilentInstrument() as instrument, served(broker, tmp_path, instrument) as (sender, client):
        get_times(client)
        for _ in range(ROUNDS):
            usual.append(statistics.median(get_times(client)))
            hang(sender, instrument)
            beside.append(statistics.median(get_times(client)))
            release(sender, instrument)
    ratio = statistics.median(two / one for one, two in zip(usual, beside, strict=True))
    assert ratio < SLOWER, (usual, beside)
    what = f"a get while {HUNG} other lanes hang, against one while none does, {ROUNDS} rounds in turn"
    times = f"{statistics.median(beside) * 1e6:.0f} us against {statistics.median(usual) * 1e6:.0f} us"
    measured("Hung instruments", what, f"{ratio:.2f} times ({times})")

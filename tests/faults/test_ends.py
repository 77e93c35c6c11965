"""How a service ends while everybody asks it something: in order, and by a blow."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragonfly.testing import RabbitMQNode
from tests.faults.asking import Asker
from tests.faults.laboratory import Laboratory, serve
from tests.faults.sending import Sender
from tests.faults.silent_instrument import SilentInstrument
from tests.mesh.program import Program

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]
OK, STOPPING = 0, 321
TOPIC = "Ends"

HEARTBEAT = 2
STOP_TIMEOUT = 3
# Who waits behind the instrument that hangs, and how many gets of another lane are sent ahead of their replies.
WAITING, AHEAD = 100, 50
# How much longer than stop_timeout an end may take: the queue is emptied for 1 s, replies are flushed for 2 s.
MORE = 4.0
# How long a get is good for, s: as long as a test waits for what may never be answered.
PATIENCE = 3.0
# How long the broker may take to notice that a connection was closed by the system, s.
AT_ONCE = 2.0
# What a client may need to see that its host is gone, and a service to be back on the mesh, s.
NOTICED, BACK = 1.0, 5.0


def config(instrument: SilentInstrument) -> dict[str, Any]:
    quick = {"name": "peaches", "module": "kv_store_key", "initial_value": 1}
    endpoints = [instrument.endpoint("gate"), quick]
    return {"name": "lab", "heartbeat": HEARTBEAT, "stop_timeout": STOP_TIMEOUT, "endpoints": endpoints}


def held(sender: Sender, instrument: SilentInstrument) -> tuple[str, list[str]]:
    """Have a get of gate run, and others wait behind it; return their ids."""
    running = sender.send("gate")
    instrument.wait_for(1)
    return running, [sender.send("gate") for _ in range(WAITING)]


def ask_on(sender: Sender, until: Callable[[], bool]) -> list[str]:
    """Send gets of peaches, one for each reply and where none comes, until something is so; return their ids."""
    sent = [sender.send("peaches") for _ in range(AHEAD)]
    ends = time.monotonic() + 30.0
    while not until():
        assert time.monotonic() < ends, "it did not come to that"
        sender.next_code(0.05)
        sent.append(sender.send("peaches"))
    return sent


def hear_the_rest(sender: Sender) -> None:
    """Take all replies that still come."""
    while sender.next_code(PATIENCE) is not None:
        pass


def ended(service: Program, began: float) -> float:
    """Wait for the end, which must be a good one; return how long after `began` it came, s."""
    assert service.wait(timeout=STOP_TIMEOUT + 2 * MORE).status == 0
    return time.monotonic() - began


def test_sigterm_under_load_finishes_what_runs_refuses_what_waits_and_leaves_nobody_without_an_answer(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path
) -> None:
    with (
        SilentInstrument() as instrument,
        serve(broker.address, config(instrument), tmp_path) as service,
        Sender(broker.address, PATIENCE) as sender,
    ):
        answers = sender.answers
        running, waiting = held(sender, instrument)
        before = ask_on(sender, lambda: list(answers.codes.values()).count(OK) >= 500)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        after = ask_on(sender, lambda: bool(answers.returned))
        assert service.process.poll() is None, "it did not wait for what runs"
        instrument.release()
        seconds = ended(service, began)
        hear_the_rest(sender)
    assert answers.codes[running] == OK
    assert {answers.codes[sent] for sent in waiting} == {STOPPING}
    assert {answers.codes[sent] for sent in before} <= {OK, STOPPING}
    unanswered = [sent for sent in after if sent not in answers.codes and sent not in answers.returned]
    assert {answers.codes[sent] for sent in after if sent in answers.codes} <= {OK, STOPPING}
    found = Counter(answers.codes.values())
    what = f"SIGTERM while a get hangs, {WAITING} wait and others are asked for at full speed"
    measured(
        TOPIC,
        what,
        f"{found[OK]} done, {found[STOPPING]} answered {STOPPING}, {len(answers.returned)} told that nobody is there,"
        f" {len(unanswered)} sent after the signal not answered; ended after {seconds:.1f} s with status 0",
    )


def test_sigterm_under_load_ends_in_its_time_although_an_instrument_hangs_for_ever(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path
) -> None:
    with (
        SilentInstrument() as instrument,
        serve(broker.address, config(instrument), tmp_path) as service,
        Sender(broker.address, PATIENCE) as sender,
    ):
        running, waiting = held(sender, instrument)
        ask_on(sender, lambda: len(sender.answers.codes) >= 100)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        ask_on(sender, lambda: bool(sender.answers.returned))
        seconds = ended(service, began)
        hear_the_rest(sender)
    assert {sender.answers.codes[sent] for sent in waiting} == {STOPPING}
    assert running not in sender.answers.codes
    assert STOP_TIMEOUT <= seconds < STOP_TIMEOUT + MORE
    what = f"SIGTERM under load while an instrument hangs for ever, stop_timeout {STOP_TIMEOUT} s"
    measured(TOPIC, what, f"ended after {seconds:.1f} s with status 0")


def left_on(node: RabbitMQNode) -> str:
    """Return all queues and bindings that a broker has."""
    return node.ctl("list_queues", "name") + node.ctl("list_bindings", "source_name", "routing_key")


def test_sigkill_under_load_leaves_nothing_on_the_broker(
    node: RabbitMQNode, measured: Measured, tmp_path: Path
) -> None:
    empty = left_on(node)
    with Asker(node.address) as asker:
        with (
            Laboratory(node.address, node.address, tmp_path, HEARTBEAT) as laboratory,
            Sender(node.address, PATIENCE) as sender,
        ):
            ask_on(sender, lambda: len(sender.answers.codes) >= 100)
            began = time.monotonic()
            laboratory.process.kill()
            ask_on(sender, lambda: bool(sender.answers.returned))
            seconds = time.monotonic() - began
        assert not asker.is_bound("lab")
    assert left_on(node) == empty
    assert seconds < AT_ONCE
    measured(TOPIC, "a client is told that nobody is there after the service got SIGKILL", f"{seconds * 1e3:.0f} ms")


def test_a_host_that_is_gone_is_noticed_within_three_heartbeats_and_comes_back_by_itself(
    broker: RabbitMQNode, measured: Measured, tmp_path: Path
) -> None:
    with (
        Laboratory(broker.address, broker.address, tmp_path, HEARTBEAT) as laboratory,
        Asker(broker.address) as asker,
        Sender(broker.address, PATIENCE) as sender,
    ):
        # For the broker, a process that is stopped is a host that is gone: it says nothing, and closes nothing.
        began = time.monotonic()
        laboratory.process.send_signal(signal.SIGSTOP)
        ask_on(sender, lambda: bool(sender.answers.returned))
        gone = time.monotonic() - began
        assert not asker.is_bound("lab")
        laboratory.process.send_signal(signal.SIGCONT)
        back = asker.seconds_until_answered("peaches", 30.0)
        laboratory.assert_as_before(reconnects=1)
    assert gone < 3 * HEARTBEAT + NOTICED
    assert back < BACK
    what = f"a client is told that nobody is there after the service's host died, heartbeat {HEARTBEAT} s"
    measured(TOPIC, what, f"{gone:.1f} s")
    measured(TOPIC, "a service answers again after it was stopped for so long (SIGSTOP)", f"{back:.2f} s")

"""Clients that do not read, say nothing, or hold too much, before the broker with real sockets."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from pika import spec

from dragonfly.broker import Broker
from dragonfly.broker.memory import Memory
from tests.broker.program import program, started
from tests.broker.wire_client import WireClient, shown
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 5.0


def most_memory(pid: int) -> int:
    """Return how many bytes a process had in memory at most."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def test_a_half_open_client_is_closed_after_two_heartbeats() -> None:
    with Broker() as broker, WireClient(broker.address, heartbeat=1) as client:
        begin = time.monotonic()
        assert client.is_closed_by_broker()
        assert 2.0 < time.monotonic() - begin < PATIENCE


def test_a_client_whose_process_was_stopped_is_closed_although_messages_still_go_to_it() -> None:
    talk = """
import sys
from pika import spec
from tests.broker.wire_client import WireClient
with WireClient(sys.argv[1], heartbeat=1) as client:
    queue = client.ask(spec.Queue.Declare(auto_delete=True)).method.queue
    client.ask(spec.Basic.Consume(queue=queue, no_ack=True))
    print(queue, flush=True)
    client.read()
"""
    command = [sys.executable, "-c", talk]
    with Broker() as broker, WireClient(broker.address) as innocent, ExitStack() as stack:
        process = subprocess.Popen([*command, broker.address], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        stack.enter_context(process)
        stack.callback(process.kill)
        assert process.stdout is not None
        queue = process.stdout.readline().strip()
        process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()

        def is_gone() -> bool:
            innocent.publish("", queue, bytes(200_000), mandatory=True)
            innocent.say(spec.Basic.Qos(prefetch_count=0))
            return bool(innocent.read_until(spec.Basic.QosOk)[1:])

        assert wait_until(is_gone, PATIENCE)
        assert time.monotonic() - begin > 1.5


def test_a_client_that_does_not_read_but_says_that_it_lives_stays() -> None:
    with Broker() as broker, WireClient(broker.address, heartbeat=1) as lazy, WireClient(broker.address) as busy:
        queue = lazy.ask(spec.Queue.Declare(exclusive=True)).method.queue
        lazy.ask(spec.Basic.Consume(queue=queue, no_ack=True))
        busy.publish("", queue, bytes(20_000_000))
        begin = time.monotonic()

        def three_heartbeats_passed() -> bool:
            lazy.send(b"\x08\x00\x00\x00\x00\x00\x00\xce")
            return time.monotonic() - begin > 3.0

        assert wait_until(three_heartbeats_passed, PATIENCE)
        assert lazy.message()[2] == bytes(20_000_000)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="how much memory a process had, only Linux tells")
def test_a_large_message_to_many_who_do_not_read_is_kept_once_and_harms_nobody() -> None:
    with program("--port", "0") as process, ExitStack() as stack:
        address = started(process)
        readers = [stack.enter_context(WireClient(address)) for _ in range(20)]
        publisher, innocent = (stack.enter_context(WireClient(address)) for _ in range(2))
        publisher.ask(spec.Exchange.Declare(exchange="all", type="topic"))
        for reader in readers:
            reader.ask(spec.Queue.Declare(queue="", exclusive=True))
            reader.ask(spec.Queue.Bind(queue="", exchange="all", routing_key="#"))
            reader.ask(spec.Basic.Consume(queue="", no_ack=True))
        body = b"x" * 30_000_000
        before = most_memory(process.pid)
        publisher.publish("all", "a", body)
        publisher.publish("all", "a", "after")
        begin = time.monotonic()
        innocent.say_hello()
        publisher.say_hello()
        assert most_memory(process.pid) - before < 150_000_000
        assert time.monotonic() - begin < PATIENCE
        for reader in readers[::10]:
            assert reader.message()[2] == body
            assert reader.message()[2] == b"after"


def test_who_has_the_same_messages_as_others_goes_with_them() -> None:
    memory = Memory(limit=4_000_000, patience=0.5)
    with Broker(memory=memory) as broker, ExitStack() as stack:
        holders = [stack.enter_context(WireClient(broker.address)) for _ in range(10)]
        innocent, publisher = (stack.enter_context(WireClient(broker.address)) for _ in range(2))
        publisher.ask(spec.Exchange.Declare(exchange="all", type="topic"))
        for holder in holders:
            holder.ask(spec.Queue.Declare(queue="", exclusive=True))
            holder.ask(spec.Queue.Bind(queue="", exchange="all", routing_key="#"))
        innocent.ask(spec.Queue.Declare(queue="kept", exclusive=True))
        publisher.publish("", "kept", bytes(1_000_000))
        for _ in range(4):
            publisher.publish("all", "a", bytes(1_000_000))
        publisher.read_until(spec.Connection.Unblocked)
        assert [holder.read().method.reply_code for holder in holders] == [506] * 10
        assert "message_count=1" in shown(innocent.ask(spec.Queue.Declare(queue="kept", passive=True)))


def test_who_does_not_read_holds_what_waits_for_it() -> None:
    memory = Memory(limit=16_000_000, patience=0.5)
    with Broker(memory=memory) as broker, ExitStack() as stack:
        deaf, innocent, publisher = (stack.enter_context(WireClient(broker.address)) for _ in range(3))
        publisher.ask(spec.Queue.Declare(queue="shared"))
        deaf.ask(spec.Basic.Consume(queue="shared", no_ack=True))
        innocent.ask(spec.Queue.Declare(queue="kept", exclusive=True))
        publisher.publish("", "kept", bytes(1_000_000))
        for size in (14_000_000, 3_000_000):
            publisher.publish("", "shared", bytes(size))
        frames = publisher.read_until(spec.Connection.Unblocked)
        assert isinstance(frames[0].method, spec.Connection.Blocked)
        assert deaf.read_until(spec.Connection.Close)[-1].method.reply_code == 506
        for queue in ("kept", "shared"):
            assert "message_count=1" in shown(innocent.ask(spec.Queue.Declare(queue=queue, passive=True))), queue
        publisher.say_hello()
        assert 4_000_000 < memory.used < 4_100_000


def test_a_client_that_does_not_read_stops_nobody() -> None:
    with Broker() as broker, WireClient(broker.address) as lazy, WireClient(broker.address) as busy:
        queue = lazy.ask(spec.Queue.Declare(exclusive=True, arguments={"x-max-length": 10})).method.queue
        lazy.ask(spec.Basic.Consume(queue=queue, no_ack=True))
        busy.ask(spec.Confirm.Select())
        for number in range(200):
            busy.publish("", queue, b"%6d" % number + bytes(100_000))
            busy.read_until(spec.Basic.Ack)
        busy.say_hello()
        numbers = [int(lazy.message()[2][:6])]
        while numbers[-1] != 199:
            numbers.append(int(lazy.message()[2][:6]))
        assert numbers == sorted(numbers)
        assert numbers[-10:] == list(range(190, 200)) and len(numbers) < 200


def test_a_publisher_that_reads_no_returns_is_read_no_more() -> None:
    def flood() -> None:
        while True:
            deaf.publish("", "nowhere", bytes(100_000), mandatory=True)

    with Broker() as broker, WireClient(broker.address) as innocent, WireClient(broker.address) as deaf:
        deaf.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            flood()
        innocent.say_hello()


def test_memory_that_stays_full_costs_its_holder_the_connection() -> None:
    memory = Memory(limit=1_000_000, patience=0.5)
    with Broker(memory=memory) as broker, WireClient(broker.address) as holder, WireClient(broker.address) as publisher:
        holder.ask(spec.Queue.Declare(queue="theirs", exclusive=True))
        publisher.ask(spec.Queue.Declare(queue="mine", exclusive=True))
        for number in range(11):
            publisher.publish("", "theirs" if number % 4 else "mine", bytes(100_000))
        frames = publisher.read_until(spec.Connection.Unblocked)
        assert isinstance(frames[0].method, spec.Connection.Blocked)
        close = holder.read().method
        assert (close.reply_code, close.class_id, close.method_id) == (506, 0, 0)
        assert close.reply_text.startswith("RESOURCE_ERROR - the broker's memory is full")
        assert "message_count=3" in shown(publisher.ask(spec.Queue.Declare(queue="mine", passive=True)))
        publisher.say_hello()


def test_a_queue_that_belongs_to_nobody_is_deleted_when_it_fills_the_memory() -> None:
    with Broker(memory=Memory(limit=1_000_000, patience=0.5)) as broker, WireClient(broker.address) as publisher:
        with WireClient(broker.address) as gone:
            gone.ask(spec.Queue.Declare(queue="orphan"))
        for _ in range(12):
            publisher.publish("", "orphan", bytes(100_000))
        publisher.read_until(spec.Connection.Unblocked)
        assert "404" in shown(publisher.ask(spec.Queue.Declare(queue="orphan", passive=True)))

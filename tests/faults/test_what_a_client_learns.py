"""What a client learns of a fault, and when: at once where anybody can know it, else at its timeout."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPRoutingKeyError,
    DriplineBusyError,
    DriplineError,
    DriplineStoppingError,
    DriplineTimeoutError,
)
from dragonfly.core.interface import Interface
from dragonfly.testing import FaultProxy, RabbitMQNode
from tests.faults.orders import lab
from tests.mesh.program import Ended, Program, dragonfly, serve
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

TOPIC = "What a client learns, and when"
ALARM = "the broker refuses messages (memory alarm)"
ON_ITS_WAY = "the request was on its way already, and whether it was done is not known"
# What "at once" may take on a busy machine, s: for a request, and for a whole command, which starts Python first.
AT_ONCE, COMMAND_AT_ONCE = 0.5, 5.0
# How long a client waits that is to learn something at its timeout, and how much later it may be told, s.
TIMEOUT, LATER = 1.5, 0.5


@pytest.fixture
def service(node: RabbitMQNode, tmp_path: Path) -> Iterator[Program]:
    """Give a service with a valve, whose get hangs, and whose stop waits 2 s for it."""
    config = lab(tmp_path)
    config.write_text(config.read_text() + "stop_timeout: 2\n")
    with serve(node.address, str(config)) as program:
        yield program


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def timed(call: Callable[[], object]) -> tuple[DriplineError, float]:
    """Return the error that a request ends by, and after how many s."""
    began = time.monotonic()
    with pytest.raises(DriplineError) as caught:
        call()
    return caught.value, time.monotonic() - began


def hangs(directory: Path) -> bool:
    """Wait until the valve's get has begun, and forget that it did."""
    entered = directory / "entered"
    if wait_until(entered.exists, 10.0):
        entered.unlink()
        return True
    return False


def in_ms(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds) * 1000:.1f} ms, at most {max(seconds) * 1000:.0f} ms"


def test_that_nobody_is_bound_is_known_at_once(node: RabbitMQNode, measured: Measured) -> None:
    seconds = []
    with Interface(node.address) as client:
        client.request_all("broadcast.ping", 9, {"values": []}, timeout=1.0)  # it is connected from now on
        for _ in range(100):
            error, took = timed(lambda: client.get("plums"))
            assert (type(error), str(error)) == (DriplineAMQPRoutingKeyError, "nobody serves plums")
            seconds.append(took)
    assert statistics.median(seconds) < AT_ONCE / 5 and max(seconds) < AT_ONCE
    ended = dragonfly(node.address, "get", "plums")
    assert (ended.status, ended.stdout, ended.stderr) == (
        1,
        "plums(ret:102): {'values': ['message not deliverable']}\n",
        "",
    )
    assert ended.seconds < COMMAND_AT_ONCE
    measured(TOPIC, "nobody is bound (102), Interface, 100 times", in_ms(seconds))
    measured(TOPIC, "nobody is bound, the whole of `dragonfly get`, status 1", f"{ended.seconds:.2f} s")


def test_that_a_service_is_too_busy_is_known_at_once(
    node: RabbitMQNode, tmp_path: Path, pool: ThreadPoolExecutor, measured: Measured
) -> None:
    config = lab(tmp_path)
    config.write_text(config.read_text() + "  - {name: other, module: kv_store_key}\nmax_threads: 1\n")
    with serve(node.address, str(config)), Interface(node.address) as client:
        hung = pool.submit(client.get, "valve")
        assert hangs(tmp_path)
        seconds = []
        for _ in range(100):
            error, took = timed(lambda: client.get("other"))
            assert (type(error), str(error)) == (DriplineBusyError, "all 1 threads of lab are at work")
            seconds.append(took)
        ended = dragonfly(node.address, "get", "other")
        assert (ended.status, ended.stderr.count("\n")) == (1, 1), ended
        assert "all 1 threads of lab are at work" in ended.stderr
        (tmp_path / "open").touch()
        assert hung.result(10).retcode == 0
    assert max(seconds) < AT_ONCE
    measured(TOPIC, "the service refuses (320), Interface, 100 times", in_ms(seconds))


def test_that_a_service_stops_is_known_at_once_to_who_waits_and_to_who_comes(
    node: RabbitMQNode, service: Program, tmp_path: Path, pool: ThreadPoolExecutor, measured: Measured
) -> None:
    with Interface(node.address, timeout=20.0) as client:
        hung = pool.submit(client.get, "valve")
        assert hangs(tmp_path)
        waiting = pool.submit(timed, lambda: client.set("valve", 1))
        command = pool.submit(dragonfly, node.address, "set", "valve", "2")
        assert wait_until(lambda: lane_depth(client) == 2, 10.0)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        error, _ = waiting.result(10)
        refused_after = time.monotonic() - began
        assert type(error) is DriplineStoppingError
        assert str(error) == "lab is shutting down: the request was not started"
        ended = command.result(10)
        assert (ended.status, ended.stderr.count("\n")) == (1, 1), ended
        assert "lab is shutting down: the request was not started" in ended.stderr
        # It is gone for who comes now, though it still waits for what hangs.
        assert wait_until(
            lambda: type(timed(lambda: client.set("valve", 3, timeout=1.0))[0]) is DriplineAMQPRoutingKeyError
        )
        gone_after = time.monotonic() - began
        (tmp_path / "open").touch()
        assert hung.result(10).payload == {"values": ["open"]}
        assert service.wait().status == 0
    assert refused_after < AT_ONCE
    assert gone_after < COMMAND_AT_ONCE
    assert not (tmp_path / "runs").exists()
    measured(TOPIC, "the service stops (321), after its SIGTERM", f"{refused_after * 1000:.0f} ms")


def lane_depth(client: Interface) -> int:
    """Return how many requests wait for the valve."""
    lanes = client.get("lab.statistics").payload["lanes"]
    return int(lanes["valve"]["depth"])


def test_what_the_broker_held_when_a_queue_went_is_learnt_at_the_timeout(
    node: RabbitMQNode, pool: ThreadPoolExecutor, measured: Measured
) -> None:
    with RawClient(node.address) as raw, Interface(node.address) as client:
        raw.channel.queue_declare("dead", exclusive=True)
        raw.channel.queue_bind("dead", "requests", "plums")

        def waiting() -> int:
            return int(raw.channel.queue_declare("dead", passive=True).method.message_count)

        command = pool.submit(dragonfly, node.address, "get", "plums", "--timeout", f"{TIMEOUT}")
        assert wait_until(lambda: waiting() == 1, 10.0)  # a program takes its time to start
        asked = pool.submit(timed, lambda: client.get("plums", timeout=TIMEOUT))
        assert wait_until(lambda: waiting() == 2)
        raw.channel.queue_delete("dead")
        error, seconds = asked.result(10)
        check_timeout(error, seconds, command.result(10), "plums")
    measured(TOPIC, f"its request was in a queue that went, timeout {TIMEOUT:g} s", f"told after {seconds:.2f} s")


def test_that_a_service_was_killed_is_learnt_at_the_timeout(
    node: RabbitMQNode, service: Program, tmp_path: Path, pool: ThreadPoolExecutor, measured: Measured
) -> None:
    with Interface(node.address) as client:
        asked = pool.submit(timed, lambda: client.get("valve", timeout=TIMEOUT))
        assert hangs(tmp_path)
        command = pool.submit(dragonfly, node.address, "set", "valve", "1", "--timeout", f"{TIMEOUT}")
        assert wait_until(lambda: lane_depth(client) == 1)
        service.process.kill()
        error, seconds = asked.result(10)
        check_timeout(error, seconds, command.result(10), "valve")
        # Who asks from now on is told at once.
        error, at_once = timed(lambda: client.get("valve"))
        assert type(error) is DriplineAMQPRoutingKeyError and at_once < AT_ONCE
    measured(TOPIC, f"the service was killed with its request, timeout {TIMEOUT:g} s", f"told after {seconds:.2f} s")


def check_timeout(error: DriplineError, seconds: float, ended: Ended, target: str) -> None:
    """Check that a request and a command were told, when their time was over, that nobody answered."""
    assert type(error) is DriplineTimeoutError
    assert str(error).startswith(f"no reply to get {target} within {TIMEOUT:g} s: its service may be")
    assert TIMEOUT - 0.01 <= seconds < TIMEOUT + LATER
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (4, "", 1), ended
    assert f"{target} within {TIMEOUT:g} s" in ended.stderr
    assert TIMEOUT <= ended.seconds < TIMEOUT + COMMAND_AT_ONCE


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("orderly", [False, True], ids=["reset", "closed"])
def test_that_its_own_connection_is_lost_is_known_at_once(
    node: RabbitMQNode, tmp_path: Path, pool: ThreadPoolExecutor, measured: Measured, orderly: bool
) -> None:
    with FaultProxy(node.address) as proxy, Interface(proxy.address, timeout=20.0) as client:
        asked = pool.submit(timed, lambda: client.get("valve"))
        assert hangs(tmp_path)
        command = pool.submit(dragonfly, proxy.address, "get", "valve", "--timeout", "20")
        with Interface(node.address) as watcher:
            assert wait_until(lambda: lane_depth(watcher) == 1, 10.0)
        began = time.monotonic()
        proxy.cut(reset=not orderly)
        error, _ = asked.result(10)
        told = time.monotonic() - began
        check_lost(error, command.result(10), proxy.address)
        command_told = time.monotonic() - began
        assert client.cmd("valve", "ping").retcode == 0  # it comes back by itself
    assert told < AT_ONCE and command_told < COMMAND_AT_ONCE
    how = "closed" if orderly else "reset"
    measured(TOPIC, f"its connection was {how} with a request in flight", f"Interface told after {told * 1000:.0f} ms")


def test_that_the_broker_was_killed_is_known_at_once(
    own_broker: RabbitMQNode, tmp_path: Path, pool: ThreadPoolExecutor, measured: Measured
) -> None:
    with serve(own_broker.address, str(lab(tmp_path))), Interface(own_broker.address, timeout=20.0) as client:
        asked = pool.submit(timed, lambda: client.get("valve"))
        assert hangs(tmp_path)
        command = pool.submit(dragonfly, own_broker.address, "get", "valve", "--timeout", "20")
        assert wait_until(lambda: lane_depth(client) == 1, 10.0)
        began = time.monotonic()
        own_broker.kill()
        error, _ = asked.result(10)
        told = time.monotonic() - began
        check_lost(error, command.result(10), own_broker.address)
        # A request while it is away waits for it as long as it may, and says why it could not be sent.
        error, seconds = timed(lambda: client.get("valve", timeout=TIMEOUT))
        assert type(error) is DriplineAMQPConnectionError and own_broker.address in str(error)
        assert seconds < TIMEOUT + LATER
    ended = dragonfly(own_broker.address, "get", "valve")
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (3, "", 1), ended
    assert f"unable to connect to broker {own_broker.address}" in ended.stderr
    assert ended.seconds < COMMAND_AT_ONCE
    assert told < AT_ONCE
    measured(TOPIC, "the broker was killed with a request in flight", f"Interface told after {told * 1000:.0f} ms")
    measured(TOPIC, "no broker there, the whole of `dragonfly get`, status 3", f"{ended.seconds:.2f} s")


def check_lost(error: DriplineError, ended: Ended, address: str) -> None:
    """Check that a request and a command in flight were told that their connection was lost."""
    assert type(error) is DriplineAMQPConnectionError
    assert str(error).startswith(f"the connection to broker {address} was lost: ") and "\n" not in str(error)
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (3, "", 1), ended
    assert f"the connection to broker {address} was lost: " in ended.stderr


@pytest.mark.usefixtures("service")
def test_that_the_broker_takes_no_messages_is_known_at_once(
    node: RabbitMQNode, tmp_path: Path, pool: ThreadPoolExecutor, measured: Measured
) -> None:
    with Interface(node.address, timeout=20.0) as client:
        hung = pool.submit(timed, lambda: client.get("valve"))
        assert hangs(tmp_path)
        node.ctl("set_vm_memory_high_watermark", "0")
        try:
            # RabbitMQ tells of its alarm who publishes: the first is told by that, and who waits, too.
            first, told = timed(lambda: client.set("valve", 1))
            waiting, _ = hung.result(10)
            assert [str(error) for error in (first, waiting)] == [f"{ALARM}; {ON_ITS_WAY}"] * 2
            seconds = []
            for _ in range(100):
                error, took = timed(lambda: client.set("valve", 2))
                assert (type(error), str(error)) == (DriplineAMQPConnectionError, ALARM)
                seconds.append(took)
            ended = dragonfly(node.address, "get", "valve")
            assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (3, "", 1), ended
            assert ALARM in ended.stderr
        finally:
            node.ctl("set_vm_memory_high_watermark", "0.4")
        assert wait_until(lambda: pong(client), 10.0)
    assert told < AT_ONCE and max(seconds) < AT_ONCE and ended.seconds < COMMAND_AT_ONCE
    measured(TOPIC, "a memory alarm, the first request of a client", f"{told * 1000:.0f} ms")
    measured(TOPIC, "a memory alarm, 100 further requests", in_ms(seconds))
    measured(TOPIC, "a memory alarm, the whole of `dragonfly get`, status 3", f"{ended.seconds:.2f} s")


def pong(client: Interface) -> bool:
    try:
        return client.cmd("valve", "ping").retcode == 0
    except DriplineError:
        return False

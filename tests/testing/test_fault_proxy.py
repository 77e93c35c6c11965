"""The line that breaks on command: each fault as the plain sockets on its two sides see it."""

import socket
import time

import pytest

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.testing import FaultProxy
from tests.testing.broken_line import Line, carries, is_silent, received, was_reset


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        ("localhost:5672", "127.0.0.1:{}"),
        ("[::1]:5672", "127.0.0.1:{}"),
        ("localhost", "127.0.0.1:{}"),
        ("amqp://localhost", "amqp://127.0.0.1:{}"),
        ("amqp://guest:guest@localhost:5672/", "amqp://guest:guest@127.0.0.1:{}/"),
        ("amqp://me:a%40b@localhost:5672/%2Fmine", "amqp://me:a%40b@127.0.0.1:{}/%2Fmine"),
        ("amqps://localhost:5671/?verify=verify_none", "amqps://127.0.0.1:{}/?verify=verify_none"),
    ],
)
def test_its_address_is_the_broker_s_with_host_and_port_changed(broker: str, expected: str) -> None:
    with FaultProxy(broker) as proxy:
        assert proxy.address == expected.format(proxy.port)


def test_cut_resets_both_sides_and_new_ones_are_accepted(line: Line) -> None:
    pairs = [line.connect(), line.connect()]
    line.proxy.cut()
    assert line.proxy.connections == 0
    assert all(was_reset(end) for pair in pairs for end in pair)
    assert carries(*line.connect())
    assert line.proxy.accepted == 3


def test_cut_without_reset_ends_in_order_even_when_bytes_are_unread(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.stall()
    program.sendall(bytes(1000))
    line.proxy.cut(reset=False)
    for end in (program, broker):
        assert end.recv(1) == b""
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_refuse_cuts_and_refuses_until_restore(line: Line) -> None:
    ends = line.connect()
    line.proxy.refuse()
    line.proxy.refuse()
    assert all(was_reset(end) for end in ends)
    with pytest.raises(ConnectionRefusedError):
        line.dial()
    line.proxy.stall()
    with pytest.raises(ConnectionRefusedError):
        line.dial()
    line.proxy.restore()
    assert carries(*line.connect())


def test_stall_carries_nothing_until_restore_and_loses_nothing(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.stall()
    program.sendall(b"there")
    broker.sendall(b"back")
    assert is_silent(program, broker)
    assert line.proxy.connections == 1
    line.proxy.restore()
    assert received(broker, 5) == b"there" and received(program, 4) == b"back"


@pytest.mark.parametrize("direction", ["to_broker", "from_broker"])
def test_one_direction_stalls_and_the_other_flows(line: Line, direction: str) -> None:
    program, broker = line.connect()
    source, sink = (program, broker) if direction == "to_broker" else (broker, program)
    line.proxy.stall(direction)
    source.sendall(b"held")
    assert carries(sink, source)
    assert is_silent(sink)
    line.proxy.restore()
    assert received(sink, 4) == b"held"


def test_who_connects_on_a_stalled_line_is_accepted_and_carried_after_it(line: Line) -> None:
    line.proxy.stall()
    program = line.dial()
    program.sendall(b"hello")
    line.proxy.wait_for(connections=1)
    assert is_silent(program, line.listener)
    line.proxy.restore()
    assert received(line.accepted(), 5) == b"hello"


def test_half_open_resets_the_program_and_leaves_the_broker_in_its_belief(line: Line) -> None:
    program, broker = line.connect()
    assert carries(program, broker)
    line.proxy.half_open()
    assert was_reset(program)
    assert line.proxy.connections == 0
    broker.sendall(b"are you there")
    assert is_silent(broker)
    assert carries(*line.connect())
    line.proxy.restore()
    assert was_reset(broker)
    assert line.proxy.connections == 1


def test_cut_ends_what_is_half_open(line: Line) -> None:
    _, broker = line.connect()
    line.proxy.half_open()
    line.proxy.cut()
    assert was_reset(broker)


def test_delay_makes_each_byte_late_in_both_directions(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.delay(0.25)
    begin = time.monotonic()
    assert carries(program, broker)
    assert 0.25 <= time.monotonic() - begin < 2.0
    assert carries(broker, program)
    assert 0.5 <= time.monotonic() - begin < 4.0


@pytest.mark.parametrize(("rate", "size"), [(400_000, 200_000), (2_000, 1_000)])
def test_throttle_sets_the_rate(line: Line, rate: int, size: int) -> None:
    program, broker = line.connect()
    line.proxy.throttle(rate)
    begin = time.monotonic()
    assert carries(program, broker, bytes(size))
    assert 0.4 <= time.monotonic() - begin < 1.5, "half a second is expected"


@pytest.mark.parametrize(("fault", "value"), [("delay", 3600.0), ("throttle", 0.001)])
def test_restore_lets_go_what_was_late_or_slow(line: Line, fault: str, value: float) -> None:
    program, broker = line.connect()
    getattr(line.proxy, fault)(value)
    program.sendall(bytes(1000))
    assert is_silent(broker) == (fault == "delay")  # a throttled line lets the first byte through
    line.proxy.restore()
    assert received(broker, 999) == bytes(999)
    assert carries(broker, program)


def test_it_can_be_started_again(line: Line) -> None:
    line.proxy.close()
    line.proxy.close()
    line.proxy.start()
    line.proxy.start()
    assert carries(*line.connect())
    assert line.proxy.accepted == 1


def test_what_does_not_run_has_no_faults() -> None:
    proxy = FaultProxy("localhost:5672")
    for call in (proxy.cut, proxy.restore, proxy.stall, proxy.wait_for, lambda: proxy.connections):
        with pytest.raises(RuntimeError, match=r"the fault proxy to localhost does not run: start\(\) was expected"):
            call()


@pytest.mark.parametrize("seconds", [-0.1, float("inf"), float("nan")])
def test_a_delay_is_not_negative_and_finite(line: Line, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^delay: .* s was given, 0 or more was expected$"):
        line.proxy.delay(seconds)


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_is_positive_and_finite(line: Line, rate: float) -> None:
    with pytest.raises(ValueError, match=r"^throttle: .* bytes/s was given, more than 0 was expected$"):
        line.proxy.throttle(rate)


def test_a_direction_is_one_of_three(line: Line) -> None:
    with pytest.raises(ValueError, match="'up' is no direction, both, to_broker, from_broker was expected"):
        line.proxy.stall("up")


@pytest.mark.parametrize("broker", ["http://localhost", "local host", "localhost:0", "a:1,b:2"])
def test_what_is_no_address_of_a_broker_is_told(broker: str) -> None:
    with pytest.raises(DriplineValueError):
        FaultProxy(broker)


def test_who_waits_in_vain_learns_how_it_stands(line: Line) -> None:
    line.connect()
    line.proxy.wait_for(connections=1, accepted=1)
    with pytest.raises(
        TimeoutError, match=r"1 connections are open and 1 were accepted after 0 s, 2 open and at least"
    ):
        line.proxy.wait_for(connections=2, timeout=0)
    with pytest.raises(TimeoutError, match="at least 2 accepted was expected"):
        line.proxy.wait_for(accepted=2, timeout=0)

"""What a fault proxy carries: every byte in order, the end as the bytes, and no more than there is room for."""

import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dragonfly.testing import FaultProxy
from tests.testing.broken_line import MEGABYTE, Line, carries, filled, is_silent, received, was_reset


def pattern(seed: int, size: int) -> bytes:
    """Return bytes of which no long part is like another."""
    return b"".join(b"%d:%d," % (seed, number) for number in range(size // 4 + 1))[:size]


def test_it_carries_both_directions(line: Line) -> None:
    program, broker = line.connect()
    assert carries(program, broker)
    assert carries(broker, program, b"and back")
    assert (line.proxy.connections, line.proxy.accepted) == (1, 1)


def test_every_address_of_the_broker_s_name_is_tried(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        closed = other.getsockname()[1]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (closed, line.port)]
    monkeypatch.setattr("dragonfly.testing.fault_proxy.socket.getaddrinfo", lambda *_, **__: found)
    proxy = FaultProxy("two_addresses")
    proxy.start()
    monkeypatch.undo()
    line.proxy = line.opened.enter_context(proxy)
    assert carries(*line.connect())


def test_half_a_close_is_carried_and_the_other_half_goes_on(line: Line) -> None:
    program, broker = line.connect()
    program.sendall(b"last")
    program.shutdown(socket.SHUT_WR)
    assert received(broker, 100) == b"last"
    assert carries(broker, program)
    broker.close()
    assert program.recv(1) == b""
    line.proxy.wait_for(connections=0)


@pytest.mark.parametrize("first", [0, 1])
def test_a_reset_is_carried(line: Line, first: int) -> None:
    program, broker = line.connect()
    assert carries(program, broker) and carries(broker, program)
    ends = [program, broker]
    ends[first].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ends[first].close()
    assert was_reset(ends[1 - first])
    line.proxy.wait_for(connections=0)


def test_the_end_of_a_connection_is_stalled_too(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.stall()
    program.sendall(b"last")
    program.close()
    assert is_silent(broker)
    line.proxy.restore()
    assert received(broker, 100) == b"last"


def test_what_is_on_its_way_is_stalled_too(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.delay(0.1)
    program.sendall(b"late")
    line.proxy.delay(0.1)  # the proxy has now read what was sent
    line.proxy.stall()
    assert is_silent(broker)
    line.proxy.restore()
    assert received(broker, 4) == b"late"


def test_who_hears_nothing_does_not_learn_of_a_reset_either(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.stall("to_broker")
    assert carries(broker, program)
    program.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    program.close()
    broker.sendall(b"are you there")
    broker.sendall(b"still?")
    assert is_silent(broker)
    line.proxy.restore()
    line.proxy.wait_for(connections=0)


def test_a_stall_is_felt_by_the_sender_and_what_it_sent_arrives_later(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.stall("to_broker")
    count = filled(program)
    line.proxy.restore()
    program.shutdown(socket.SHUT_WR)
    assert len(received(broker, count + 1)) == count


def test_who_does_not_read_is_felt_by_the_sender(line: Line) -> None:
    program, broker = line.connect()
    count = filled(program)
    program.shutdown(socket.SHUT_WR)
    assert len(received(broker, count + 1)) == count


def test_the_end_is_as_late_as_the_bytes(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.delay(0.25)
    begin = time.monotonic()
    program.close()
    assert broker.recv(1) == b""
    assert 0.25 <= time.monotonic() - begin < 2.0


def test_a_shorter_delay_keeps_the_order(line: Line) -> None:
    program, broker = line.connect()
    for seconds in (0.3, 0.1, 0.0):
        line.proxy.delay(seconds)
        program.sendall(b"%.1f" % seconds)
        line.proxy.delay(seconds)  # the proxy has now read what was sent
    assert received(broker, 9) == b"0.30.10.0"


def test_a_delayed_line_changes_no_byte(line: Line) -> None:
    program, broker = line.connect()
    line.proxy.delay(0.05)
    there, back = pattern(1, 5 * MEGABYTE), pattern(2, 5 * MEGABYTE)
    with ThreadPoolExecutor(4) as pool:
        at_broker, at_program = pool.submit(received, broker, len(there)), pool.submit(received, program, len(back))
        sent = [pool.submit(program.sendall, there), pool.submit(broker.sendall, back)]
        assert at_broker.result(60.0) == there
        assert at_program.result(60.0) == back
        assert [future.result(60.0) for future in sent] == [None, None]

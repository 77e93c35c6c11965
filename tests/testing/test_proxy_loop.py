"""The thread of a fault proxy: many connections, faults from many threads, and a certain end."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dragonfly.testing import FaultProxy
from tests.conftest import left_behind, open_sockets
from tests.testing.broken_line import SILENCE, Line, carries, filled, is_silent, received, was_reset


def test_a_broker_that_is_away_costs_a_program_its_connection_and_the_proxy_nothing(line: Line) -> None:
    line.listener.close()
    for _ in range(3):
        assert line.dial().recv(1) == b""
    line.listen(line.port)
    assert carries(*line.connect())
    assert (line.proxy.connections, line.proxy.accepted) == (1, 4)


def test_fifty_connections_at_once_are_not_mixed_up(line: Line) -> None:
    programs = [line.dial() for _ in range(50)]
    for number, program in enumerate(programs):
        program.sendall(b"%04d" % number)
    brokers = [line.accepted() for _ in programs]
    owners = [int(received(broker, 4)) for broker in brokers]
    assert sorted(owners) == list(range(50))
    assert all(carries(broker, programs[owner], b"%d" % owner) for broker, owner in zip(brokers, owners, strict=True))
    assert line.proxy.connections == 50
    line.proxy.cut()
    assert all(was_reset(end) for end in programs + brokers)


def test_cut_reaches_who_has_just_connected(line: Line) -> None:
    for _ in range(20):
        program = line.dial()
        line.proxy.cut()
        assert was_reset(program)


def test_faults_may_come_from_several_threads(line: Line) -> None:
    def play(number: int) -> None:
        for turn in range(15):
            line.proxy.stall()
            with suppress(ConnectionError):  # another thread may just have let it refuse
                line.dial()
            (line.proxy.cut, line.proxy.half_open)[(number + turn) % 2]()
            line.proxy.refuse()
            line.proxy.restore()

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(play, number) for number in range(4)]
        assert [future.result(60.0) for future in done] == [None] * 4
    line.proxy.cut()
    line.listener.close()  # with whoever waits there
    line.listen(line.port)
    assert carries(*line.connect())
    assert line.proxy.connections == 1


@pytest.mark.parametrize("fault", ["restore", "stall", "half_open"])
def test_while_nothing_moves_it_needs_no_processor(line: Line, fault: str) -> None:
    program, broker = line.connect()
    filled(program)
    broker.shutdown(socket.SHUT_WR)
    getattr(line.proxy, fault)()
    begin = time.process_time()
    assert is_silent(line.listener)
    assert time.process_time() - begin < SILENCE / 4


@pytest.mark.parametrize("fault", ["restore", "stall", "refuse", "half_open"])
def test_close_ends_everything_at_once_and_leaves_nothing_behind(line: Line, fault: str) -> None:
    threads, sockets = set(threading.enumerate()), open_sockets()
    with FaultProxy(f"127.0.0.1:{line.port}") as line.proxy:
        program, broker = line.connect()
        with program, broker:
            filled(program)
            getattr(line.proxy, fault)()
            begin = time.monotonic()
            line.proxy.close()
            assert time.monotonic() - begin < 2.0
            with suppress(ConnectionResetError):
                assert program.recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                line.dial()
    assert left_behind(threads, sockets) == []

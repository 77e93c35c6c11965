"""What goes out on a connection, and in which pieces; what comes in is tested on brokers, in tests/mesh."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from pika import frame, spec
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from dragonfly.core.amqp.tolerant_connection import TolerantConnection


class Line(_AsyncPlaintextTransport):  # type: ignore[misc]
    """One end of a pair of sockets, in the place of a transport; what pika would send later is kept."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._state = self._STATE_ACTIVE
        self._tx_buffers: deque[bytes] = deque()

    def write(self, data: bytes) -> None:
        self._tx_buffers.append(data)


class Bench:
    """A connection that was never made, and what its broker would get."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        for end in (self.near, self.far):
            end.setblocking(False)
        made: Any = object.__new__(TolerantConnection)
        made._held, made._confirm_actions = None, {}
        made.bytes_sent = made.frames_sent = made.frames_received = 0
        made._transport = self.line = Line(self.near)
        self.connection = made

    def got(self) -> bytes:
        try:
            return self.far.recv(1 << 20)
        except BlockingIOError:
            return b""


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.near.close()
    made.far.close()


def test_frames_of_a_message_go_out_at_once_and_in_one_piece(bench: Bench) -> None:
    bench.connection._output_marshaled_frames([b"method", b"header", b"body"])
    assert bench.got() == b"methodheaderbody"
    assert not bench.line._tx_buffers


def test_what_is_held_goes_out_when_it_is_released_in_its_order(bench: Bench) -> None:
    bench.connection.hold()
    bench.connection._output_marshaled_frames([b"1", b"2"])
    bench.connection.hold()  # twice loses nothing
    bench.connection._output_marshaled_frames([b"3"])
    assert bench.got() == b""
    bench.connection.release()
    assert bench.got() == b"123"
    bench.connection.release()
    assert bench.got() == b""


def test_what_the_system_does_not_take_is_left_to_pika_and_nothing_passes_it(bench: Bench) -> None:
    large = bytes(range(256)) * 20_000
    bench.connection._output_marshaled_frames([large])
    (rest,) = bench.line._tx_buffers
    assert 0 < len(rest) < len(large)
    bench.connection._output_marshaled_frames([b"next"])
    assert list(bench.line._tx_buffers) == [rest, b"next"]
    sent = b""
    while piece := bench.got():
        sent += piece
    assert sent + rest == large


def test_on_a_line_that_was_given_up_nothing_is_sent(bench: Bench) -> None:
    bench.line._state = bench.line._STATE_ABORTED_BY_USER
    bench.connection._output_marshaled_frames([b"SET"])
    assert bench.got() == b""


def test_confirms_go_to_whoever_asked_for_those_of_the_channel(bench: Bench) -> None:
    got: list[int] = []
    channel = type("Channel", (), {"channel_number": 3})()
    bench.connection.on_confirm(channel, lambda value: got.append(value.method.delivery_tag))
    for tag, method in enumerate((spec.Basic.Ack(1), spec.Basic.Nack(2)), start=1):
        bench.connection._process_frame(frame.Method(3, method))
        assert got[-1] == tag
    assert bench.connection.frames_received == 2

"""What goes out on a connection and comes in, and in which pieces."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from pika import frame, spec
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from dragonfly.core.amqp.frames import Confirm, publish_frames
from dragonfly.core.amqp.packet import Delivery, Outgoing
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
        made._held, made._confirm_actions, made._delivery_actions = None, {}, {}
        made._frame_buffer, made.bytes_received = b"", 0
        # What pika itself would process.
        self.passed: list[Any] = []
        made._process_frame = self.passed.append
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


class Taker:
    """A channel, and what it was told and given."""

    def __init__(self, number: int = 3) -> None:
        self.channel_number = number
        self.is_open = True
        self.confirms: list[Confirm] = []
        self.bodies: list[bytes] = []

    def confirm_delivery(self, _action: Any) -> None:
        """Ask the broker for confirms, as pika's channel does."""

    def take(self, delivery: Delivery) -> None:
        self.bodies.append(delivery.body)


@pytest.fixture
def taker(bench: Bench) -> Taker:
    taker = Taker()
    bench.connection.confirm(taker, taker.confirms.append)
    bench.connection.on_delivery(taker, taker.take)
    return taker


def message(body: bytes, number: int = 3, tag: int = 1, pieces: int = 1) -> bytes:
    """Return the frames of a delivered message, its body in so many of them."""
    size = -(-len(body) // pieces)
    parts = [frame.Body(number, body[at : at + size]).marshal() for at in range(0, len(body), size or 1)]
    method = frame.Method(number, spec.Basic.Deliver("ctag", tag, False, "requests", "peaches"))
    header = frame.Header(number, len(body), spec.BasicProperties(reply_to="asker"))
    return method.marshal() + header.marshal() + b"".join(parts)


def confirm(method: Any) -> bytes:
    marshalled: bytes = frame.Method(3, method).marshal()
    return marshalled


def test_confirms_go_to_whoever_asked_for_those_of_the_channel(bench: Bench, taker: Taker) -> None:
    read = confirm(spec.Basic.Ack(1)) + confirm(spec.Basic.Nack(2)) + confirm(spec.Basic.Ack(9, multiple=True))
    bench.connection._on_data_available(read)
    assert taker.confirms == [(3, 1, False, True), (3, 2, False, False), (3, 9, True, True)]
    assert bench.connection.frames_received == 3


@pytest.mark.parametrize("step", [1, 7, 50, 1000])
def test_messages_are_taken_whole_and_in_order_however_they_are_cut(bench: Bench, taker: Taker, step: int) -> None:
    read = b"".join(message(b"%d" % number * number) + confirm(spec.Basic.Ack(number)) for number in range(20))
    for at in range(0, len(read), step):
        bench.connection._on_data_available(read[at : at + step])
    assert taker.bodies == [b"%d" % number * number for number in range(20)]
    assert [told.tag for told in taker.confirms] == list(range(20))
    assert bench.connection.bytes_received == len(read)
    assert bench.passed == []


def test_what_is_not_in_one_piece_goes_the_way_of_pika_and_what_follows_does_not(bench: Bench, taker: Taker) -> None:
    heartbeat = frame.Heartbeat().marshal()
    read = message(b"first") + message(b"in parts", pieces=3) + heartbeat + message(b"last")
    for at in range(0, len(read), 40):
        bench.connection._on_data_available(read[at : at + 40])
    assert taker.bodies == [b"first", b"last"]
    assert [type(value).__name__ for value in bench.passed] == ["Method", "Header", "Body", "Body", "Body", "Heartbeat"]


def test_what_comes_on_another_channel_or_one_that_closes_goes_the_way_of_pika(bench: Bench, taker: Taker) -> None:
    bench.connection._on_data_available(message(b"another's", number=4))
    taker.is_open = False
    bench.connection._on_data_available(message(b"late"))
    taker.is_open = True
    bench.connection.on_delivery(taker, None)
    bench.connection._on_data_available(message(b"after the cancel"))
    assert taker.bodies == []
    assert len(bench.passed) == 9


def test_after_a_message_that_ends_the_connection_nothing_is_taken(bench: Bench, taker: Taker) -> None:
    def end(delivery: Delivery) -> None:
        taker.take(delivery)
        bench.connection._frame_buffer = b""  # as pika does when the connection ends

    bench.connection.on_delivery(taker, end)
    bench.connection._on_data_available(message(b"the last") + message(b"too late"))
    assert taker.bodies == [b"the last"]
    assert bench.passed == []


def test_a_message_goes_out_as_its_frames(bench: Bench, taker: Taker) -> None:
    outgoing = Outgoing("requests", "peaches", bytes(range(256)) * 3)
    bench.connection._body_max_length = 300
    bench.connection.publish(taker, outgoing)
    assert bench.got() == b"".join(publish_frames(3, outgoing, 300))

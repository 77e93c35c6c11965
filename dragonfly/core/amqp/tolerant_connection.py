"""pika's connection, with what it lacks here."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pika
from pika import frame
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from dragonfly.core.amqp import frames
from dragonfly.core.amqp.heartbeat import Heartbeat
from dragonfly.core.amqp.packet import Delivery, Outgoing

logger = logging.getLogger(__name__)

# How much is read at a time, bytes: some 30 requests. Four times as much made no difference (tests/bench).
_AT_A_TIME = 16 << 10
_HEADER_FRAME = 2
_FRAME_OVERHEAD = 8

OnConfirm = Callable[[frames.Confirm], None]
OnDelivery = Callable[[Delivery], None]


class TolerantConnection(pika.SelectConnection):  # type: ignore[misc]
    """pika's connection, proof against properties that pika cannot decode, and sooner aware of a dead link.

    A header table may hold what no datetime or integer can (a time stamp beyond the year 9999, an infinite double). The
    broker passes it on, pika raises, and the connection would end: any publisher could cut off any service. Such a
    message is delivered without its properties instead.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held: list[bytes] | None = None
        self._confirm_actions: dict[int, OnConfirm] = {}
        self._delivery_actions: dict[int, tuple[Any, OnDelivery]] = {}
        super().__init__(*args, **kwargs)

    def hang_up(self) -> bool:
        """End as if the broker had closed the line; return whether there is one. It is told as any other loss is.

        pika itself can give up neither a half-made connection, without an error of its own, nor one whose broker does
        not answer the good-bye.
        """
        if self._transport is None:
            return False
        with suppress(OSError):  # it is at its end already
            self._transport._sock.shutdown(socket.SHUT_RDWR)
        return True

    def _create_heartbeat_checker(self) -> Any:
        return Heartbeat(self, self.params.heartbeat) if self.params.heartbeat else None

    # What follows does what pika does with fewer steps; what it gains is measured by tests/bench (sequential_get,
    # pipelined_get). A message is three frames or more, and pika gives each to the system by itself, when the system
    # has said that it takes it; it reads 4 kB at a time, and until there is no more; and it makes an object of each
    # frame and looks for callbacks for it.

    def hold(self) -> None:
        """Send nothing until `release`: what is sent meanwhile goes out in one piece."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Send what was held."""
        held, self._held = self._held, None
        if held:
            super()._output_marshaled_frames([b"".join(held)])

    def publish(self, channel: Any, outgoing: Outgoing) -> None:
        """Send a message on a channel that is open."""
        pieces = frames.publish_frames(channel.channel_number, outgoing, self._body_max_length)
        self._output_marshaled_frames(pieces)

    def confirm(self, channel: Any, action: OnConfirm) -> None:
        """Have the broker confirm what a channel publishes, and its word taken by a function."""
        self._confirm_actions[channel.channel_number] = action
        channel.confirm_delivery(lambda frame: None)  # pika insists on a function for what never gets there

    def on_delivery(self, channel: Any, action: OnDelivery | None) -> None:
        """Have the messages that a channel delivers taken by a function as well as by its consumer.

        Those that are not read here still go pika's way, to the consumer; without a function all do.
        """
        if action is None:
            self._delivery_actions.pop(channel.channel_number, None)
        else:
            self._delivery_actions[channel.channel_number] = channel, action

    def _proto_connection_made(self, transport: Any) -> None:
        if isinstance(transport, _AsyncPlaintextTransport):  # another kind has data that the system knows nothing of
            transport._MAX_RECV_BYTES, transport._MAX_CONSUME_BYTES = _AT_A_TIME, 1
        super()._proto_connection_made(transport)

    def _output_marshaled_frames(self, marshaled_frames: list[bytes]) -> None:
        if self._held is None:
            super()._output_marshaled_frames([b"".join(marshaled_frames)])
        else:
            self._held += marshaled_frames

    def _adapter_emit_data(self, data: bytes) -> None:
        transport = self._transport
        if (
            isinstance(transport, _AsyncPlaintextTransport)
            and transport._state == transport._STATE_ACTIVE
            and not transport._tx_buffers
        ):
            with suppress(OSError):  # pika finds out what it is when it sends the rest
                data = data[transport._sock.send(data) :]
        if data:
            super()._adapter_emit_data(data)

    def _on_data_available(self, data_in: bytes) -> None:
        """Take what was read: the most frequent frames at once, a run of them before the rest is cut off."""
        self._frame_buffer += data_in
        try:
            while self._frame_buffer:
                self._take_frequent()
                count, value = self._read_frame() if self._frame_buffer else (0, None)
                if not value:
                    return
                self._trim_frame_buffer(count)
                self._process_frame(value)
        except frames.Incomplete:
            pass

    def _take_frequent(self) -> None:
        buffer, at = self._frame_buffer, 0
        try:
            # An action may end the connection, and with it the buffer.
            while buffer is self._frame_buffer and (taken := self._frequent_at(buffer, at)):
                action, value, at = taken
                self.frames_received += 1
                action(value)
        finally:
            if at and buffer is self._frame_buffer:
                self._trim_frame_buffer(at)

    def _frequent_at(self, buffer: bytes, at: int) -> tuple[Callable[[Any], None], Any, int] | None:
        method, number = frames.method_at(buffer, at)
        if method == frames.DELIVER and number in self._delivery_actions:
            channel, deliver = self._delivery_actions[number]
            message = frames.delivery_at(buffer, at, channel) if channel.is_open else None
            return None if message is None else (deliver, *message)
        if method in frames.CONFIRMS and number in self._confirm_actions:
            confirm = frames.confirm_at(buffer, at)
            return None if confirm is None else (self._confirm_actions[number], *confirm)
        return None

    def _read_frame(self) -> Any:
        try:
            return super()._read_frame()
        except frames.UNREADABLE as err:
            buffer = self._frame_buffer
            kind, channel, size = struct.unpack_from(">BHI", buffer)
            if kind != _HEADER_FRAME:
                raise
            body_size = struct.unpack_from(">Q", buffer, 11)[0]
            logger.warning("a message's properties cannot be read and are left out: %s", err)
            return size + _FRAME_OVERHEAD, frame.Header(channel, body_size, pika.BasicProperties())

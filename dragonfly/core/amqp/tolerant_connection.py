"""pika's connection, with what it lacks here."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pika
import pika.exceptions
from pika import frame, spec
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from dragonfly.core.amqp.heartbeat import Heartbeat

logger = logging.getLogger(__name__)

# How much is read at a time, bytes: pika copies what it has read once for each frame in it.
_AT_A_TIME = 16 << 10
_CONFIRMS = (spec.Basic.Ack, spec.Basic.Nack)
_HEADER_FRAME = 2
_FRAME_OVERHEAD = 8
# A time or number out of range, a table in a table in a table (pika decodes it by recursion), a table that is cut
# short, a type of field that it does not know.
_UNREADABLE = (
    ArithmeticError,
    LookupError,
    OSError,
    RecursionError,
    ValueError,
    struct.error,
    pika.exceptions.InvalidFieldTypeException,
)


class TolerantConnection(pika.SelectConnection):  # type: ignore[misc]
    """pika's connection, proof against properties that pika cannot decode, and sooner aware of a dead link.

    A header table may hold what no datetime or integer can (a time stamp beyond the year 9999, an infinite double). The
    broker passes it on, pika raises, and the connection would end: any publisher could cut off any service. Such a
    message is delivered without its properties instead.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held: list[bytes] | None = None
        self._confirm_actions: dict[int, Callable[[Any], None]] = {}
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
    # has said that it takes it; it reads 4 kB at a time, and until there is no more; and it looks for callbacks for
    # each frame, of which the most frequent have none or one.

    def hold(self) -> None:
        """Send nothing until `release`: what is sent meanwhile goes out in one piece."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Send what was held."""
        held, self._held = self._held, None
        if held:
            super()._output_marshaled_frames([b"".join(held)])

    def on_confirm(self, channel: Any, action: Callable[[Any], None]) -> None:
        """Have the frames that confirm a channel's messages taken by a function, and by nothing else."""
        self._confirm_actions[channel.channel_number] = action

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

    def _process_frame(self, value: Any) -> None:
        kind = type(getattr(value, "method", None))
        if kind is spec.Basic.Deliver:
            self.frames_received += 1
            self._deliver_frame_to_channel(value)
        elif kind in _CONFIRMS and value.channel_number in self._confirm_actions:
            self.frames_received += 1
            self._confirm_actions[value.channel_number](value)
        else:
            super()._process_frame(value)

    def _read_frame(self) -> Any:
        try:
            return super()._read_frame()
        except _UNREADABLE as err:
            buffer = self._frame_buffer
            kind, channel, size = struct.unpack_from(">BHI", buffer)
            if kind != _HEADER_FRAME:
                raise
            body_size = struct.unpack_from(">Q", buffer, 11)[0]
            logger.warning("a message's properties cannot be read and are left out: %s", err)
            return size + _FRAME_OVERHEAD, frame.Header(channel, body_size, pika.BasicProperties())

"""pika's connection, with what it lacks here."""

from __future__ import annotations

import logging
import socket
import struct
from contextlib import suppress
from typing import Any

import pika
import pika.exceptions
from pika import frame

from dragonfly.core.amqp.heartbeat import Heartbeat

logger = logging.getLogger(__name__)

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

    def _output_marshaled_frames(self, marshaled_frames: list[bytes]) -> None:
        # A message is three frames or more, and pika gives each to the system by itself: joined, a get through a
        # service takes about a twentieth less (tests/bench sequential_get).
        super()._output_marshaled_frames([b"".join(marshaled_frames)])

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

"""pika's connection, with what it lacks here."""

from __future__ import annotations

import logging
import struct
from typing import Any

import pika
import pika.exceptions
from pika import frame

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
    """pika's connection, proof against properties that pika cannot decode.

    A header table may hold what no datetime or integer can (a time stamp beyond the year 9999, an infinite double). The
    broker passes it on, pika raises, and the connection would end: any publisher could cut off any service. Such a
    message is delivered without its properties instead.
    """

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

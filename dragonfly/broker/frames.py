"""Frames: pika's codec for methods, and what the fast way through the broker needs beside it.

A message is passed on as it came: its properties and its body are never taken apart and put together again, only the
frames around them are new. (AMQP 0-9-1, 4.2.3 frames, 4.2.6 content.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

from pika import data, exceptions, frame, spec

from dragonfly.broker.errors import Code, ProtocolError

METHOD, HEADER, BODY, HEARTBEAT = spec.FRAME_METHOD, spec.FRAME_HEADER, spec.FRAME_BODY, spec.FRAME_HEARTBEAT
END = spec.FRAME_END
OVERHEAD: int = spec.FRAME_HEADER_SIZE + spec.FRAME_END_SIZE
FRAME_MIN, FRAME_MAX = spec.FRAME_MIN_SIZE, 131_072

# Type, channel and size of a frame's payload.
HEAD = struct.Struct(">BHI")
# The class and the method, with which a method frame's payload begins.
INDEX = struct.Struct(">I")
_HEAD_AFTER_END = struct.Struct(">BBHI")
_END = bytes([END])
_HEARTBEAT_FRAME: bytes = frame.Heartbeat().marshal()
PROTOCOL_HEADER: bytes = frame.ProtocolHeader(0, 9, 1).marshal()

NO_METHOD = (0, 0)

# How pika's decoder fails on bytes that are no such method: beyond the end, a date or number that Python cannot hold,
# tables in tables, a kind of field that does not exist.
_UNDECODABLE = (
    struct.error,
    IndexError,
    ValueError,
    OverflowError,
    OSError,
    RecursionError,
    exceptions.AMQPError,
)
Frame = tuple[int, int, bytes]


class FrameReader:
    """Cuts what a client sends into frames.

    Args:
        frame_max: the largest frame to take, in bytes.
    """

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max
        # The beginning of a frame that is not complete, and how many bytes it takes to go on with it.
        self.unfinished = bytearray()
        self._needed = OVERHEAD

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Yield type, channel and payload of each frame that is complete now.

        Raises:
            ProtocolError: 501, the frame is too large or does not end where it should.
        """
        buffer = received
        if self.unfinished:
            if len(self.unfinished) + len(received) < self._needed:
                self.unfinished += received  # in place: a frame that comes byte by byte is not copied with each of them
                return
            buffer = b"".join((self.unfinished, received))
            self.unfinished.clear()
        length, position, self._needed = len(buffer), 0, OVERHEAD
        while length - position >= OVERHEAD:
            kind, channel, size = HEAD.unpack_from(buffer, position)
            start = position + HEAD.size
            stop = start + size
            if size > self.frame_max - OVERHEAD:
                reason = f"type {kind}, {size} octets, but the largest frame has {self.frame_max}"
                raise ProtocolError(Code.FRAME_ERROR, reason, NO_METHOD)
            if stop >= length:
                self._needed = stop + 1 - position
                break
            payload = buffer[start:stop]
            if buffer[stop] != END:
                raise frame_error(kind, payload, f"invalid_frame_end_marker {buffer[stop]}")
            position = stop + 1
            yield kind, channel, payload
        if position < length:
            self.unfinished += buffer[position:]


class _StartOk(spec.Connection.StartOk):  # type: ignore[misc]
    """connection.start-ok with the bytes of its response, of which pika itself makes a text."""

    def decode(self, encoded: bytes, offset: int = 0) -> Any:
        super().decode(encoded, offset)
        _, offset = data.decode_table(encoded, offset)
        _, offset = data.decode_short_string(encoded, offset)
        start = offset + INDEX.size
        self.response = encoded[start : start + INDEX.unpack_from(encoded, offset)[0]]
        return self


_METHODS = {**spec.methods, _StartOk.INDEX: _StartOk}


def method_frame(channel: int, method: Any) -> bytes:
    """Return a method as the bytes of its frame."""
    encoded: bytes = frame.Method(channel, method).marshal()
    return encoded


def heartbeat_frame() -> bytes:
    """Return the bytes of a heartbeat."""
    return _HEARTBEAT_FRAME


def decode_method(index: int, arguments: bytes) -> Any:
    """Return the method of this index, which must be one that clients send.

    Args:
        index: class and method, as the frame has them.
        arguments: the rest of the frame's payload.

    Raises:
        ProtocolError: 501, the bytes are not its arguments.
    """
    try:
        return _METHODS[index]().decode(arguments)
    except _UNDECODABLE as err:
        ids = method_ids(index)
        raise ProtocolError(
            Code.FRAME_ERROR, f"cannot decode the {len(arguments)} octets of its arguments", ids
        ) from err


def method_ids(index: int) -> tuple[int, int]:
    """Return class id and method id."""
    return index >> 16, index & 0xFFFF


def method_index(payload: bytes) -> int:
    """Return class and method of a method frame, as one number.

    Raises:
        ProtocolError: 501, the frame is too short for them.
    """
    if len(payload) < INDEX.size:
        raise frame_error(METHOD, payload, "unknown_frame")
    return int(INDEX.unpack_from(payload)[0])


def frame_error(kind: int, payload: bytes, problem: str) -> ProtocolError:
    """Return the error that a frame is malformed. It does not show the octets: a password may be among them."""
    return ProtocolError(Code.FRAME_ERROR, f"type {kind}, {len(payload)} octets: {problem}", NO_METHOD)


def unexpected_frame(kind: int, payload: bytes) -> ProtocolError:
    """Return the error that a frame is of another kind than can come now, or of none."""
    if kind in (METHOD, HEADER, BODY) or (kind == HEARTBEAT and not payload):
        return ProtocolError(Code.UNEXPECTED_FRAME, f"type {kind}, {len(payload)} octets", NO_METHOD)
    return frame_error(kind, payload, "unknown_frame")


def header_frame(channel: int, header: bytes) -> bytes:
    """Return the frame of a content header.

    Args:
        channel: the number of the channel.
        header: its payload.
    """
    return b"".join((HEAD.pack(HEADER, channel, len(header)), header, _END))


def content_frames(channel: int, header: bytes, body: bytes, frame_max: int) -> Iterable[bytes]:
    """Return a message's header frame and body frames in pieces, to be joined.

    Args:
        channel: the number of the channel.
        header: the payload of the header frame.
        body: the whole body.
        frame_max: the largest frame that the client takes, in bytes.
    """
    if len(body) + OVERHEAD <= frame_max and body:
        return (
            HEAD.pack(HEADER, channel, len(header)),
            header,
            _HEAD_AFTER_END.pack(END, BODY, channel, len(body)),
            body,
            _END,
        )
    pieces = [HEAD.pack(HEADER, channel, len(header)), header]
    step = frame_max - OVERHEAD
    for start in range(0, len(body), step):
        piece = body[start : start + step]
        pieces += (_HEAD_AFTER_END.pack(END, BODY, channel, len(piece)), piece)
    return (*pieces, _END)


class BodyFrames:
    """The body frames of a message, cut one after another; its length is that of all that are not yet cut, in bytes.

    Args:
        channel: the number of the channel.
        body: the whole body.
        frame_max: the largest frame that the client takes, in bytes.
    """

    __slots__ = ("_body", "_channel", "_step")

    def __init__(self, channel: int, body: bytes, frame_max: int) -> None:
        self._body = memoryview(body)
        self._channel = channel
        self._step = frame_max - OVERHEAD

    def __len__(self) -> int:
        size = len(self._body)
        return size + -(-size // self._step) * OVERHEAD

    def cut(self) -> tuple[bytes, memoryview, bytes]:
        """Return the next frame in three pieces, the second of which is a view of the body."""
        piece, self._body = self._body[: self._step], self._body[self._step :]
        return HEAD.pack(BODY, self._channel, len(piece)), piece, _END

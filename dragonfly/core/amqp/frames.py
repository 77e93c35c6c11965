"""The frames of a message and of its confirm, packed and unpacked in one step.

pika makes an object of each of the three frames that a message is, looks for callbacks for it, and puts the three
together; for a request and its reply that was a third of all that a service did (tests/bench pipelined_get). What is
here takes the whole message at once. Whatever is not exactly as expected, a body in several frames, a property that
cannot be decoded, a wrong end, is left to pika: every function that reads returns None then and has done nothing.

See AMQP 0-9-1, sections 2.3.5 (frames) and 4.2 (formats).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import pika.exceptions
from pika import data

from dragonfly.core.amqp.packet import Delivery, Outgoing
from dragonfly.core.constants import APP_ID, CONTENT_ENCODING

DELIVER = 0x003C003C
_ACK, _NACK = 0x003C0050, 0x003C0078
CONFIRMS = (_ACK, _NACK)
# What a table of headers may end in: a time or number out of range, a table in a table in a table (pika decodes it by
# recursion), one that is cut short, a type of field that pika does not know.
UNREADABLE = (
    ArithmeticError,
    LookupError,
    OSError,
    RecursionError,
    ValueError,
    struct.error,
    pika.exceptions.InvalidFieldTypeException,
)

_PUBLISH, _BASIC = 0x003C0028, 0x003C
_METHOD_FRAME, _HEADER_FRAME, _BODY_FRAME, _END = 1, 2, 3, 0xCE
_OVERHEAD = 8
_METHOD = struct.Struct(">BHII")
_DELIVERED = struct.Struct(">QBB")
_HEADER = struct.Struct(">BHIHHQH")
_BODY = struct.Struct(">BHI")
_CONFIRM = struct.Struct(">BHIIQBB")
_END_BYTE = bytes([_END])


class Incomplete(Exception):
    """More has to be read before anybody can tell what it is."""


class Confirm(NamedTuple):
    """The broker's word about messages that were published.

    Args:
        channel: number of the channel.
        tag: of the message.
        multiple: whether it is about all before it as well.
        accepted: whether the broker has it.
    """

    channel: int
    tag: int
    multiple: bool
    accepted: bool


def method_at(buffer: bytes, start: int) -> tuple[int, int]:
    """Return the method and the channel number of a method frame; zeros where there is no whole head of one."""
    if len(buffer) - start < _METHOD.size:
        return 0, 0
    kind, number, _, method = _METHOD.unpack_from(buffer, start)
    return (method, number) if kind == _METHOD_FRAME else (0, 0)


def confirm_at(buffer: bytes, start: int) -> tuple[Confirm, int] | None:
    """Return the confirm whose frame begins there, and where it ends.

    Raises:
        Incomplete: its end has not come yet.
    """
    _, number, size, method, tag, bits, end = _unpacked(_CONFIRM, buffer, start)
    if size != _CONFIRM.size - _OVERHEAD or end != _END:
        return None
    return Confirm(number, tag, bool(bits & 1), method == _ACK), start + _CONFIRM.size


def delivery_at(buffer: bytes, start: int, channel: Any) -> tuple[Delivery, int] | None:
    """Return the message whose first frame, a Basic.Deliver, begins there, and where its last one ends.

    Raises:
        Incomplete: its end has not come yet.
    """
    _, number, size, _ = _METHOD.unpack_from(buffer, start)
    header = start + size + _OVERHEAD
    kind, header_number, header_size, class_id, _, length, flags = _unpacked(_HEADER, buffer, header)
    body = header + header_size + _OVERHEAD
    if (kind, header_number, class_id) != (_HEADER_FRAME, number, _BASIC):
        return None
    if length and _unpacked(_BODY, buffer, body) != (_BODY_FRAME, number, length):
        return None
    end = body + (length + _OVERHEAD if length else 0)
    if end > len(buffer):
        raise Incomplete
    if not buffer[end - 1] == buffer[body - 1] == buffer[header - 1] == _END:
        return None
    delivery = Delivery.blank(channel)
    try:
        _read_method(buffer, start + _METHOD.size, header - 1, delivery)
        _read_properties(buffer, header + _HEADER.size, body - 1, flags, delivery)
    except UNREADABLE:
        return None
    delivery.body = buffer[body + _BODY.size : end - 1] if length else b""
    return delivery, end


def _unpacked(head: struct.Struct, buffer: bytes, at: int) -> tuple[Any, ...]:
    if at + head.size > len(buffer):
        raise Incomplete
    return head.unpack_from(buffer, at)


def _read_method(buffer: bytes, at: int, end: int, delivery: Delivery) -> None:
    at += 1 + buffer[at]  # the consumer's tag: there is one consumer a channel
    delivery.tag, redelivered, size = _DELIVERED.unpack_from(buffer, at)
    delivery.redelivered = bool(redelivered & 1)
    at += _DELIVERED.size
    delivery.exchange = str(buffer[at : at + size], "utf-8")
    at += size + 1
    stop = at + buffer[at - 1]
    delivery.routing_key = str(buffer[at:stop], "utf-8")
    if stop != end:
        raise ValueError("the frame ends elsewhere")


_Read = Callable[[bytes, int], tuple[Any, int]]


def _read_properties(buffer: bytes, at: int, end: int, flags: int, delivery: Delivery) -> None:
    for name, read in _properties(flags):
        if read is None:  # a short string, as nearly all are
            start, at = at + 1, at + 1 + buffer[at]
            value: Any = str(buffer[start:at], "utf-8")
        else:
            value, at = read(buffer, at)
        if name:
            setattr(delivery, name, value)
    if at != end:
        raise ValueError("the frame ends elsewhere")


def _octet(_buffer: bytes, at: int) -> tuple[None, int]:
    return None, at + 1


def _time(_buffer: bytes, at: int) -> tuple[None, int]:
    return None, at + 8


# In the order of their flags, from the highest on: the name that a delivery has for it, and what reads it where it is
# no short string.
_PROPERTIES: tuple[tuple[str, _Read | None], ...] = (
    ("", None),  # content_type
    ("content_encoding", None),
    ("headers", data.decode_table),
    ("", _octet),  # delivery_mode
    ("", _octet),  # priority
    ("correlation_id", None),
    ("reply_to", None),
    ("expiration", None),
    ("message_id", None),
    ("", _time),  # timestamp
    ("", None),  # type
    ("", None),  # user_id
    ("app_id", None),
    ("", None),  # cluster_id
)


@lru_cache(maxsize=256)
def _properties(flags: int) -> tuple[tuple[str, _Read | None], ...]:
    if flags & 0b11:
        raise ValueError("there are more properties than there are")
    return tuple(entry for bit, entry in enumerate(_PROPERTIES) if flags & 0x8000 >> bit)


def publish_frames(number: int, outgoing: Outgoing, most: int) -> list[bytes]:
    """Return the frames of a message that goes out, in one piece where its body is one frame.

    Args:
        number: of the channel.
        outgoing: the message.
        most: how much of a body one frame carries, bytes.
    """
    method = _short(outgoing.exchange) + _short(outgoing.routing_key) + (b"\1" if outgoing.mandatory else b"\0")
    flags, properties = _packed_properties(outgoing)
    body = outgoing.body
    pieces = [
        _METHOD.pack(_METHOD_FRAME, number, len(method) + 6, _PUBLISH),
        b"\0\0",  # a reserved number
        method,
        _END_BYTE,
        _HEADER.pack(_HEADER_FRAME, number, len(properties) + 14, _BASIC, 0, len(body), flags),
        properties,
        _END_BYTE,
    ]
    for start in range(0, len(body), most):
        part = body[start : start + most]
        pieces += (_BODY.pack(_BODY_FRAME, number, len(part)), part, _END_BYTE)
    return pieces


def _packed_properties(outgoing: Outgoing) -> tuple[int, bytes]:
    flags = 0x4008  # content_encoding and app_id
    pieces = [_ENCODING_PIECE]
    if outgoing.headers:
        flags |= 0x2000
        data.encode_table(pieces, outgoing.headers)
    if outgoing.persistent:
        flags |= 0x1000
        pieces.append(b"\x02")
    if outgoing.correlation_id is not None:
        flags |= 0x0400
        pieces.append(_short(outgoing.correlation_id))
    if outgoing.reply_to is not None:
        flags |= 0x0200
        pieces.append(_short(outgoing.reply_to))
    if outgoing.expiration is not None:
        flags |= 0x0100
        pieces.append(_short(str(outgoing.expiration)))
    if outgoing.message_id is not None:
        flags |= 0x0080
        pieces.append(_short(outgoing.message_id))
    pieces.append(_APP_PIECE)
    return flags, b"".join(pieces)


def _short(text: str | bytes) -> bytes:
    encoded = text.encode() if isinstance(text, str) else text
    return bytes((len(encoded),)) + encoded


_ENCODING_PIECE, _APP_PIECE = _short(CONTENT_ENCODING), _short(APP_ID)

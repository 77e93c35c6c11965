"""The property list of a message (AMQP 0-9-1, 4.2.6.1), looked over without being decoded.

The broker itself wants two properties: `expiration` and `user_id`. All others pass through as they came; only their
lengths are followed, so that no client is sent a list or a table that would break its decoder.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from dragonfly.broker.errors import Code, ProtocolError

# In a header frame's payload: class, weight, body size, and then the flags.
BODY_SIZE = struct.Struct(">HHQ")
_FLAGS = struct.Struct(">H")
_FLAGS_AT, _LIST_AT = 12, 14
# Fourteen properties have a flag; the last two bits would announce more flags.
_UNKNOWN_FLAGS = 0b11
_LENGTH = struct.Struct(">I")

_SHORT, _TABLE, _EXPIRATION, _USER_ID = -1, -2, -3, -4
# In the order of the specification, highest flag first: what stands there, or how many bytes it takes.
_KINDS = (
    *(_SHORT, _SHORT, _TABLE),  # content_type, content_encoding, headers
    *(1, 1),  # delivery_mode, priority
    *(_SHORT, _SHORT, _EXPIRATION),  # correlation_id, reply_to, expiration
    *(_SHORT, 8, _SHORT),  # message_id, timestamp, type
    *(_USER_ID, _SHORT, _SHORT),  # user_id, app_id, cluster_id
)
# How many bytes follow the letter of a field (4.2.1, with the kinds that RabbitMQ and the clients added).
_FIELD_SIZES = {ord("V"): 0, **dict.fromkeys(b"tbB", 1), **dict.fromkeys(b"sUu", 2), **dict.fromkeys(b"Iif", 4)} | {
    **dict.fromkeys(b"LldT", 8),
    ord("D"): 5,
}
_STRINGS = b"Sx"
_ARRAY, _NESTED = ord("A"), ord("F")


class Wanted(NamedTuple):
    """What the broker reads of a message's properties.

    Args:
        expiration: ms as text, or None.
        user_id: who the publisher says it is, or None.
    """

    expiration: bytes | None
    user_id: bytes | None


def scan(header: bytes) -> Wanted:
    """Return the properties that the broker wants.

    Args:
        header: the payload of a header frame.

    Raises:
        ProtocolError: 502, the list is not what its flags and lengths say.
    """
    expiration = user_id = None
    position = _LIST_AT
    try:
        for kind in _plan(_FLAGS.unpack_from(header, _FLAGS_AT)[0]):
            if kind > 0:
                position += kind
            elif kind == _TABLE:
                position = table_end(header, position)
            else:
                start, position = position + 1, position + 1 + header[position]
                if kind == _EXPIRATION:
                    expiration = header[start:position]
                elif kind == _USER_ID:
                    user_id = header[start:position]
    except (IndexError, struct.error) as err:
        raise _broken() from err
    if position != len(header):
        raise _broken()
    return Wanted(expiration, user_id)


def table_end(data: bytes, start: int) -> int:
    """Return where a field table ends, having followed all its fields, however deep they are nested.

    Args:
        data: bytes with a table in them.
        start: where it begins, with its length.

    Raises:
        ProtocolError: 502, the fields do not end where the table does, or are of an unknown kind.
    """
    around: list[tuple[int, bool]] = []
    position = start + _LENGTH.size
    end, has_names = position + int(_LENGTH.unpack_from(data, start)[0]), True
    while position != end or around:
        if position == end:
            end, has_names = around.pop()
            continue
        if has_names:
            position += 1 + data[position]
        kind = data[position]
        position += 1
        if kind in _FIELD_SIZES:
            position += _FIELD_SIZES[kind]
        else:
            length = int(_LENGTH.unpack_from(data, position)[0])
            position += _LENGTH.size
            if kind in _STRINGS:
                position += length
            else:
                around.append((end, has_names))
                end, has_names = _inner(kind, position + length, end)
        if position > end:
            raise _broken()
    return end


def _inner(kind: int, end: int, outer_end: int) -> tuple[int, bool]:
    """Return where a table or an array within a table ends, and whether its fields have names."""
    if kind not in (_ARRAY, _NESTED) or end > outer_end:
        raise _broken()
    return end, kind == _NESTED


@lru_cache(maxsize=1024)
def _plan(flags: int) -> tuple[int, ...]:
    if flags & _UNKNOWN_FLAGS:
        raise _broken()
    return tuple(kind for bit, kind in enumerate(_KINDS) if flags & (1 << (15 - bit)))


def _broken() -> ProtocolError:
    return ProtocolError(Code.SYNTAX_ERROR, "the properties of the message cannot be read")

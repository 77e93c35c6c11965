"""A message on its way through the broker."""

from __future__ import annotations

import re
from functools import lru_cache

from dragonfly.broker.errors import Code, ProtocolError, shown

# What a message takes beside its own bytes, roughly; each place where it waits takes `memory.PLACE` more.
_OVERHEAD = 150
_MS = 1e-3
# RabbitMQ's own limit: ten years, in ms.
_LARGEST_EXPIRATION = 10 * 365 * 86_400_000
_NUMBER = re.compile(rb"[+-]?[0-9]+")


class Message:
    """One message, shared by all queues that it was routed to and all clients that it is written to.

    Args:
        address: exchange and routing key as two short strings, as they follow one another on the wire.
        header: the payload of its header frame.
        body: its body.
        lifetime: how long it may wait in a queue, s; None is for ever.
    """

    __slots__ = ("address", "body", "header", "lifetime", "places", "size")

    def __init__(self, address: bytes, header: bytes, body: bytes, lifetime: float | None) -> None:
        self.address = address
        self.header = header
        self.body = body
        self.lifetime = lifetime
        self.size = len(header) + len(body) + _OVERHEAD
        # In how many queues and outputs it is; `Memory` counts it while there are any.
        self.places = 0


@lru_cache(maxsize=1024)
def lifetime(expiration: bytes) -> float:
    """Return a message's `expiration` (ms, as text) in s.

    Raises:
        ProtocolError: 406, it is no such number.
    """
    number = _NUMBER.match(expiration)
    if number is None:
        problem = "no_integer"
    elif number.end() < len(expiration):
        rest = expiration[number.end() :].decode("utf-8", "backslashreplace")
        problem = f'{{leftover_string,"{rest}"}}'
    elif int(expiration) < 0:
        problem = f"{{value_negative,{int(expiration)}}}"
    elif int(expiration) > _LARGEST_EXPIRATION:
        problem = f"{{value_too_large,{int(expiration)}}}"
    else:
        return int(expiration) * _MS
    raise ProtocolError(Code.PRECONDITION_FAILED, f"invalid expiration {shown(expiration)}: {problem}")

"""Names of exchanges, queues and consumers: as clients give them, and as the broker makes them."""

from __future__ import annotations

import secrets

from dragonfly.broker.errors import Code, ProtocolError, shown

_RESERVED = b"amq."
_RANDOM_BYTES = 16


def as_name(value: str | bytes) -> bytes:
    """Return a name as bytes; pika gives a short string as text, or as bytes where it is no UTF-8.

    Raises:
        ProtocolError: 501, it is no UTF-8.
    """
    if isinstance(value, bytes):
        raise ProtocolError(Code.FRAME_ERROR, "Malformed UTF-8 in shortstr", (0, 0))
    return value.encode("utf-8")


def as_key(value: str | bytes) -> bytes:
    """Return a routing key as bytes, which may be any."""
    return value if isinstance(value, bytes) else value.encode("utf-8")


def is_reserved(name: bytes) -> bool:
    """Return whether it is a name that only the broker gives."""
    return name.startswith(_RESERVED)


def check_not_reserved(kind: str, name: bytes) -> None:
    """Refuse names that only the broker gives.

    Raises:
        ProtocolError: 403.
    """
    if is_reserved(name):
        reason = f"{kind} name {shown(name)} contains reserved prefix 'amq.*'"
        raise ProtocolError(Code.ACCESS_REFUSED, reason)


def new_name(kind: str) -> bytes:
    """Return a name that nobody has.

    Args:
        kind: "gen" for a queue, "ctag" for a consumer.
    """
    return f"amq.{kind}-{secrets.token_urlsafe(_RANDOM_BYTES)}".encode()

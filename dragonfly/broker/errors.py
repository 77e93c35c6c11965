"""The reply codes of AMQP 0-9-1, and the error that carries one to the client.

The names are those of the specification, section 1.2 of its reference; the texts are RabbitMQ's, which clients parse.
"""

from __future__ import annotations

from enum import IntEnum

VIRTUAL_HOST = "/"
_LONGEST_TEXT = 255


class Code(IntEnum):
    """What the broker tells a client that cannot have what it asked for."""

    NO_ROUTE = 312
    CONNECTION_FORCED = 320
    ACCESS_REFUSED = 403
    NOT_FOUND = 404
    RESOURCE_LOCKED = 405
    PRECONDITION_FAILED = 406
    FRAME_ERROR = 501
    SYNTAX_ERROR = 502
    COMMAND_INVALID = 503
    CHANNEL_ERROR = 504
    UNEXPECTED_FRAME = 505
    RESOURCE_ERROR = 506
    NOT_ALLOWED = 530
    NOT_IMPLEMENTED = 540


# Soft errors of the specification: they close a channel, all others the connection.
_SOFT = frozenset({Code.ACCESS_REFUSED, Code.NOT_FOUND, Code.RESOURCE_LOCKED, Code.PRECONDITION_FAILED})


class ProtocolError(Exception):
    """A client asked for what it cannot have.

    Args:
        code: of the specification.
        reason: one sentence; the name of the code is put before it.
        method: (class id, method id) that is to blame, (0, 0) for none; `None` where the caller fills it in.
    """

    def __init__(self, code: Code, reason: str, method: tuple[int, int] | None = None) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.method = method

    @property
    def is_soft(self) -> bool:
        """Whether it closes the channel only."""
        return self.code in _SOFT

    @property
    def text(self) -> str:
        """The reply text, as a short string can hold it."""
        text = f"{self.code.name} - {self.reason}"
        encoded = text.encode("utf-8")
        if len(encoded) <= _LONGEST_TEXT:
            return text
        return encoded[: _LONGEST_TEXT - 3].decode("utf-8", "ignore") + "..."


def shown(name: bytes) -> str:
    """Return a name as a text has it: in quotes, bytes that are no UTF-8 with backslashes."""
    return f"'{name.decode('utf-8', 'backslashreplace')}'"


def placed(kind: str, name: bytes) -> str:
    """Return how RabbitMQ names a queue or an exchange."""
    return f"{kind} {shown(name)} in vhost '{VIRTUAL_HOST}'"


def not_found(kind: str, name: bytes) -> ProtocolError:
    """Return the error that there is no such queue or exchange."""
    return ProtocolError(Code.NOT_FOUND, f"no {placed(kind, name)}")


def not_offered(what: str) -> ProtocolError:
    """Return the error that this broker does not have something that RabbitMQ has."""
    return ProtocolError(Code.NOT_IMPLEMENTED, f"the embedded broker has no {what}")

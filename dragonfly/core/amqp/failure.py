"""Why there is no connection, in one sentence that names the broker and never a password."""

from __future__ import annotations

import pika.exceptions

from dragonfly.core.credentials import BrokerAddress

# The code with which pika itself ends a handshake that takes too long.
_GIVEN_UP = 320


class ConnectionFailure:
    """Why there is no connection.

    Args:
        text: one sentence that names the broker and never a password.
        refused: whether the broker was there and did not want us.
        final: whether it is no use to wait for the connection to come back.
    """

    def __init__(self, text: str, refused: bool = False, final: bool = False) -> None:
        self.text = text
        self.refused = refused
        self.final = final


def failure_of(address: BrokerAddress, error: BaseException) -> ConnectionFailure:
    """Return why a connection could not be made."""
    cause = _root(error)
    if isinstance(cause, pika.exceptions.ProbableAuthenticationError):
        text = f"broker {address.display} refused user {address.user}"
        if address.user == "guest" and not address.is_loopback:
            text += "; RabbitMQ accepts guest from localhost only, see docs/how_to/users"
        return ConnectionFailure(text, refused=True)
    if isinstance(cause, pika.exceptions.ProbableAccessDeniedError):
        text = f"broker {address.display} refused user {address.user} the virtual host {address.virtual_host}"
        return ConnectionFailure(text, refused=True)
    return ConnectionFailure(f"unable to connect to broker {address.display}: {reason_of(cause)}")


def _root(error: BaseException) -> BaseException:
    """Return the innermost error of the several that pika wraps around one another."""
    seen = error
    for _ in range(10):
        nested = getattr(seen, "exception", None)
        inner = nested if isinstance(nested, BaseException) else None
        if inner is None:
            last = [item for item in getattr(seen, "exceptions", None) or seen.args if isinstance(item, BaseException)]
            inner = last[-1] if last else None
        if inner is None:
            return seen
        seen = inner
    return seen


def reason_of(error: BaseException) -> str:
    """Return an error of pika or of the system in words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, pika.exceptions.IncompatibleProtocolError):
        return "what answers there is no AMQP 0-9-1 broker"
    if isinstance(error, pika.exceptions.ConnectionClosed) and error.reply_code == _GIVEN_UP:
        return "it does not answer the AMQP handshake"
    if isinstance(error, pika.exceptions.ConnectionClosed):
        return str(error.reply_text)
    return str(error) or type(error).__name__

"""Why there is no connection, in one sentence that names the broker and never a password."""

from __future__ import annotations

import re

import pika.exceptions

from dragonfly.core.broker_address import BrokerAddress
from dragonfly.core.credentials import CredentialsError

# The code with which pika itself ends a handshake that takes too long; a broker that stops says it, too.
_GIVEN_UP = 320
_TLS_ALERT = re.compile(r"\[SSL: (\w*ALERT\w*)\]")


class ConnectionFailure:
    """Why there is no connection.

    Args:
        text: one sentence that names the broker and never a password.
        refused: whether the broker was there and did not want us.
        final: whether it is no use to wait for the connection to come back.
        code: AMQP's reply code, with which the broker closed the connection; 0 where it did not.
    """

    def __init__(self, text: str, refused: bool = False, final: bool = False, code: int = 0) -> None:
        self.text = text
        self.refused = refused
        self.final = final
        self.code = code


def failure_of(address: BrokerAddress, error: BaseException) -> ConnectionFailure:
    """Return why a connection could not be made."""
    if isinstance(error, CredentialsError):
        return ConnectionFailure(str(error))
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


def joined(failures: list[ConnectionFailure]) -> ConnectionFailure:
    """Return the failures of several brokers as one: they refused us only if all of them did."""
    if len(failures) == 1:
        return failures[0]
    texts = dict.fromkeys(failure.text for failure in failures)
    return ConnectionFailure("; ".join(texts), refused=all(failure.refused for failure in failures))


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
    if type(error).__module__ == "ssl":
        return _tls_reason(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, pika.exceptions.IncompatibleProtocolError):
        # With TLS 1.3 a broker refuses a client's certificate when the client is through with the handshake already.
        alert = _TLS_ALERT.search(str(error))
        if alert is not None:
            return f"the broker ended the encryption: {_words(alert[1])}"
        if "SSL" in str(error):  # its reason was lost with the connection
            return "the broker ended the encryption: perhaps it wants a client's certificate (certfile and keyfile)"
        return "what answers there is no AMQP 0-9-1 broker"
    if isinstance(error, pika.exceptions.ConnectionClosedByBroker):
        return str(error.reply_text)
    if isinstance(error, pika.exceptions.ConnectionClosed) and error.reply_code == _GIVEN_UP:
        return "it does not answer the AMQP handshake"
    if isinstance(error, pika.exceptions.ConnectionClosed):
        return str(error.reply_text)
    return str(error) or type(error).__name__


def _tls_reason(error: BaseException) -> str:
    """Return an error of the encryption in words; its module is loaded only where a connection is encrypted."""
    untrusted = getattr(error, "verify_message", None)
    if untrusted:
        return f"its certificate is not accepted: {untrusted}"
    reason = str(getattr(error, "reason", None) or "")
    if reason == "WRONG_VERSION_NUMBER":
        return "what answers there does not encrypt"
    return f"the encryption could not be agreed on: {_words(reason) or str(error)}"


def _words(reason: str) -> str:
    return reason.replace("_", " ").lower()

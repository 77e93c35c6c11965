"""The beginning of a connection: who the client is, and what both agree on (AMQP 0-9-1, 1.4)."""

from __future__ import annotations

import hmac
import platform
from typing import Any, NamedTuple

from pika import spec

from dragonfly.broker.errors import VIRTUAL_HOST, Code, ProtocolError
from dragonfly.broker.frames import FRAME_MAX, FRAME_MIN, decode_method
from dragonfly.broker.peer import Peer

CHANNEL_MAX = 2047
HEARTBEAT = 60
_MECHANISM = "PLAIN"
# Of what a client calls itself, as a log shows it.
_LONGEST_NAME = 100
_PROPERTIES = {
    "product": "dragonfly embedded broker",
    "platform": f"Python {platform.python_version()}",
    "information": "for one machine, keeps nothing on disk; for production use RabbitMQ",
    "capabilities": {
        "publisher_confirms": True,
        "basic.nack": True,
        "consumer_cancel_notify": True,
        "connection.blocked": True,
        "authentication_failure_close": True,
        "per_consumer_qos": True,
        "exchange_exchange_bindings": False,
        "consumer_priorities": False,
        "direct_reply_to": False,
    },
}


class Credentials(NamedTuple):
    """Who may connect."""

    user: str
    password: str


class Handshake:
    """What one connection agrees on.

    Args:
        credentials: of the one user there is.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.channel_max = CHANNEL_MAX
        # Interval, s; 0 is none.
        self.heartbeat = 0
        self.is_done = False
        self._credentials = credentials
        self._expected: Any = spec.Connection.StartOk

    def start(self) -> Any:
        """Return the first method of the broker."""
        return spec.Connection.Start(0, 9, _PROPERTIES, _MECHANISM, "en_US")

    def answer(self, index: int, arguments: bytes, peer: Peer) -> Any:
        """Return what follows a client's method, None for nothing.

        Args:
            index: class and method.
            arguments: of the method, as they stand in its frame.
            peer: the client, of whom this learns more.

        Raises:
            ProtocolError: it is not the turn of this method, or the client may not come in.
        """
        if index != self._expected.INDEX:
            raise ProtocolError(Code.COMMAND_INVALID, f"another method came where {self._expected.NAME} was expected")
        method = decode_method(index, arguments)
        if isinstance(method, spec.Connection.StartOk):
            self._expected = spec.Connection.TuneOk
            return self._authenticate(method, peer)
        if isinstance(method, spec.Connection.TuneOk):
            self._expected = spec.Connection.Open
            return self._tune(method, peer)
        if method.virtual_host != VIRTUAL_HOST:
            ids = (spec.Connection.INDEX, spec.Connection.Open.INDEX & 0xFFFF)
            raise ProtocolError(Code.NOT_ALLOWED, f"vhost {method.virtual_host} not found", ids)
        self.is_done = True
        return spec.Connection.OpenOk()

    def may_tell(self, error: ProtocolError, peer: Peer) -> bool:
        """Return whether a client is told the reason before the connection is open."""
        if error.code is Code.ACCESS_REFUSED:
            return "authentication_failure_close" in peer.capabilities
        return error.code is Code.NOT_ALLOWED and self._expected is spec.Connection.Open

    def _authenticate(self, method: Any, peer: Peer) -> Any:
        name, capabilities = (method.client_properties.get(key) for key in ("connection_name", "capabilities"))
        if isinstance(name, str):
            peer.name = f"{name[:_LONGEST_NAME]!r} ({peer.name})"
        if isinstance(capabilities, dict):
            peer.capabilities = frozenset(str(name) for name, value in capabilities.items() if value is True)
        if method.mechanism != _MECHANISM:
            raise ProtocolError(Code.COMMAND_INVALID, f"there is no mechanism {method.mechanism}, only {_MECHANISM}")
        user, password = _plain(method)
        known = hmac.compare_digest(user, self._credentials.user.encode())
        if not hmac.compare_digest(password, self._credentials.password.encode()) or not known:
            reason = "Login was refused using authentication mechanism PLAIN. For details see the broker logfile."
            raise ProtocolError(Code.ACCESS_REFUSED, reason)
        peer.user = user
        return spec.Connection.Tune(CHANNEL_MAX, FRAME_MAX, HEARTBEAT)

    def _tune(self, method: Any, peer: Peer) -> None:
        # As with RabbitMQ, 0 (no limit) is more than we offered.
        for name, value, offered, least in (
            ("frame_max", method.frame_max, FRAME_MAX, FRAME_MIN),
            ("channel_max", method.channel_max, CHANNEL_MAX, 1),
        ):
            if not least <= value <= offered:
                raise ProtocolError(Code.NOT_ALLOWED, f"{name} = {value}: it must be from {least} to {offered}")
        peer.frame_max = method.frame_max
        self.channel_max = method.channel_max
        self.heartbeat = method.heartbeat


def _plain(method: Any) -> tuple[bytes, bytes]:
    """Return user and password of the mechanism PLAIN (RFC 4616): identity, user, password, with a zero between."""
    parts = method.response.split(b"\0")
    if len(parts) != 3:
        raise ProtocolError(Code.COMMAND_INVALID, "the response is not that of the mechanism PLAIN")
    return parts[1], parts[2]

"""What pika needs to connect: the address, who we are, and how the connection is encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pika

from dragonfly.core.broker_address import BrokerAddress
from dragonfly.core.credentials import CredentialsError

if TYPE_CHECKING:
    from ssl import SSLContext

# How long a broker may take to answer, s: TCP alone, and with both handshakes. It is less where others wait for their
# turn, so that a get, which waits for 10 s, gets to them; and where the broker was reached before: a try that began in
# a network without an answer would else hold up the next one for longer than a service may take to be back.
_TCP_SECONDS, _ALL_SECONDS = 10, 15
_TCP_SECONDS_AT_MOST, _ALL_SECONDS_AT_MOST = 3, 5


def parameters(address: BrokerAddress, name: str, heartbeat: float, *, is_hurried: bool) -> Any:
    """Return the parameters of a connection.

    Args:
        address: the broker and who we are to it.
        name: shown in the broker's list of connections.
        heartbeat: interval of the AMQP heartbeat, s.
        is_hurried: whether the next try should come soon.

    Raises:
        CredentialsError: a file that the address names cannot be used.
    """
    return pika.ConnectionParameters(
        host=address.host,
        port=address.port,
        virtual_host=address.virtual_host,
        credentials=pika.PlainCredentials(address.user, address.password),
        heartbeat=int(heartbeat),
        socket_timeout=_TCP_SECONDS_AT_MOST if is_hurried else _TCP_SECONDS,
        stack_timeout=_ALL_SECONDS_AT_MOST if is_hurried else _ALL_SECONDS,
        client_properties={"connection_name": name},
        ssl_options=_tls(address) if address.tls else None,
    )


def _tls(address: BrokerAddress) -> Any:
    import ssl  # only where the connection is encrypted

    options = address.tls_options
    context = ssl.create_default_context()
    if options.cacertfile is not None:
        # These alone: who names an authority means no other.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load("cacertfile", options.cacertfile, lambda path: context.load_verify_locations(path))
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.certfile is not None:
        _load_certificate(context, options.certfile, options.keyfile or options.certfile)
    return pika.SSLOptions(context, options.server_name or address.host)


def _load_certificate(context: SSLContext, certfile: str, keyfile: str) -> None:
    # Without a passphrase of our own OpenSSL would ask for one on the terminal, in the middle of the I/O thread.
    _load("certfile", certfile, lambda path: path.read_bytes())
    _load("keyfile", keyfile, lambda path: context.load_cert_chain(_path(certfile), path, password=""))


def _load(parameter: str, text: str, load: Any) -> None:
    try:
        load(_path(text))
    except (OSError, ValueError) as err:
        system = err.strerror if type(err).__module__ == "builtins" and isinstance(err, OSError) else None
        reason = system or "it is encrypted, no certificate or key in PEM form, or the two do not belong together"
        raise CredentialsError(f"{parameter} {text} of the broker's address cannot be used: {reason}") from err


def _path(text: str) -> Path:
    return Path(text).expanduser()

"""Where brokers are: the texts that name them, read.

A broker is named by HOST, HOST:PORT or an AMQP URL. Several, in a list or with commas between them, are tried in turn.
The parameters of an encrypted connection (amqps) are called as RabbitMQ's own URLs call them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dragonfly.core.exceptions import DriplineValueError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 5672
DEFAULT_TLS_PORT = 5671

# What names a broker, or several that are tried in turn; None is localhost.
Broker = str | Sequence[str] | None

_FORM = "HOST, HOST:PORT or amqp://USER:PASSWORD@HOST:PORT/VHOST was expected"
_MAX_SCHEME, _MAX_SHOWN = 20, 80
_URL = ("amqp://", "amqps://")
_VERIFY = {"verify_peer": True, "verify_none": False}
_TLS_PARAMETERS = ("cacertfile", "certfile", "keyfile", "verify", "server_name_indication")


class _WrongPartError(ValueError):
    """What is wrong with which part of an address: the rest of a sentence that begins with the address."""


@dataclass(frozen=True)
class TlsOptions:
    """What an encrypted connection needs beside the address.

    Args:
        cacertfile: PEM file of the authorities that may have signed the broker's certificate; the system's by default.
        certfile: PEM file of our own certificate, for a broker that asks for one.
        keyfile: PEM file of its key; in certfile by default.
        verify: whether the broker's certificate is checked.
        server_name: the name that must stand in it; the host by default.
    """

    cacertfile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    verify: bool = True
    server_name: str | None = None


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker is and who we are to it.

    Args:
        host: name or number of the machine.
        port: TCP port.
        virtual_host: the AMQP virtual host.
        user: user name.
        password: never shown, not even by repr().
        tls: whether the connection is encrypted.
        tls_options: how.
    """

    host: str
    port: int
    virtual_host: str
    user: str
    password: str = field(repr=False)
    tls: bool = False
    tls_options: TlsOptions = TlsOptions()

    @property
    def is_loopback(self) -> bool:
        """Whether the broker is on this machine, which is where it accepts guest."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def display(self) -> str:
        """The address as messages to people name it: host, and port where it is not the usual one."""
        usual = DEFAULT_TLS_PORT if self.tls else DEFAULT_PORT
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


def parsed_addresses(broker: Broker) -> list[BrokerAddress]:
    """Return the addresses that are named, each with the user that it names or none; there is at least one.

    Raises:
        DriplineValueError: a text is no address, or a list has none.
    """
    if broker is None or broker == "":
        return [parsed_address(None)]
    given = [broker] if isinstance(broker, str) else broker
    if not (isinstance(given, (list, tuple)) and all(isinstance(text, str) for text in given)):
        raise DriplineValueError(f"what names a broker is neither a text nor a list of texts: {_FORM}")
    if not given:
        raise DriplineValueError(f"an empty list names no broker: {_FORM}")
    texts = [part for text in given for part in text.split(",")]
    if len(texts) == 1:
        return [parsed_address(texts[0])]
    try:
        return _listed([[part.strip() for part in text.split(",")] for text in given])
    except DriplineValueError as err:
        raise DriplineValueError(f"{err} (a comma separates addresses; in a password it is %2C)") from err


def mesh_of(broker: Broker) -> str:
    """Return what is the same for all who meet on a broker, whoever they are to it.

    Raises:
        DriplineValueError: as parsed_addresses says.
    """
    return " ".join(f"{address.display}/{address.virtual_host}" for address in parsed_addresses(broker))


def _listed(cut: list[list[str]]) -> list[BrokerAddress]:
    """Return the addresses of texts that are cut at their commas; of a password with a comma nothing is shown.

    Raises:
        DriplineValueError: a part is no address, or may belong to a password.
    """
    texts = [part for parts in cut for part in parts]
    one_of_them = f"one of {len(texts)} addresses of brokers"
    if not all(texts):
        raise DriplineValueError(f"{one_of_them} is empty: {_FORM}")
    is_secret = any(map(_may_hold_password, texts))
    if is_secret and any("://" in text and not text.startswith(_URL) for text in texts):
        raise DriplineValueError(f"{one_of_them} does not begin with amqp:// or amqps://: {_FORM}")
    for parts in cut:
        urls = [text.startswith(_URL) for text in parts]
        if urls != sorted(urls):  # to look such a part up would show it to the network
            raise DriplineValueError(f"{one_of_them} is no URL and follows a URL and a comma: {_FORM}")
    return [_address(text, is_secret) for text in texts]


def parsed_address(broker: str | None) -> BrokerAddress:
    """Return the address that a text means, with the user that it names or none.

    Raises:
        DriplineValueError: the text is no address.
    """
    text = broker or DEFAULT_HOST
    if not isinstance(text, str):
        raise DriplineValueError(f"an address of a broker is a text: {_FORM}")
    return _address(text, _may_hold_password(text))


def _address(text: str, is_secret: bool) -> BrokerAddress:
    try:
        return _parsed(text)
    except _WrongPartError as err:
        shown = "" if is_secret else f" {text[:_MAX_SHOWN]!r}"
        raise DriplineValueError(f"the broker address{shown} {err}: {_FORM}") from err


def _parsed(text: str) -> BrokerAddress:
    from urllib.parse import unquote  # not needed before a broker is

    if any(character.isspace() for character in text):
        raise _WrongPartError("has a blank in it")
    scheme, separator, rest = text.partition("://")
    tls = scheme == "amqps"
    if separator and scheme not in ("amqp", "amqps"):
        raise _WrongPartError(f"does not begin with amqp:// or amqps://{_instead(scheme)}")
    parts = _split(rest if separator else text, is_url=separator != "")
    if parts.query and not tls:
        raise _WrongPartError("has parameters after '?', which only an amqps:// address takes")
    port = _port(parts) or (DEFAULT_TLS_PORT if tls else DEFAULT_PORT)
    virtual_host = unquote(parts.path[1:]) or "/"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    options = _tls_options(parts.query)
    return BrokerAddress(parts.hostname or "", port, virtual_host, user, password, tls, options)


def _split(text: str, is_url: bool) -> SplitResult:
    """Return the parts of what follows the scheme; there is a host.

    Raises:
        _WrongPartError: a part is wrong, missing, or one too many.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(f"//{text}")
    except ValueError:
        # Not from the error of urllib, whose text shows all that stands before the path, a password too.
        raise _WrongPartError("has a user, password or host that cannot be read") from None
    if not is_url and (parts.path or "@" in text):
        raise _WrongPartError("has a user or a path, which only an amqp:// address takes")
    if "@" in parts.path + parts.query + parts.fragment:
        raise _WrongPartError("has an @ too far back (in a password, '/' is %2F, '?' is %3F and '#' is %23)")
    if parts.fragment:
        raise _WrongPartError("has something after '#'")
    if not parts.hostname:
        raise _WrongPartError("has no host (one with colons stands in brackets)")
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        # Not shown, and not from the error of urllib, which shows it: where a URL has no host, this is the password.
        raise _WrongPartError("has a port that is no number from 1 to 65535")
    return port


def _tls_options(query: str) -> TlsOptions:
    """Return what the parameters of a URL mean.

    Raises:
        DriplineValueError: one is not known, has no value, or stands there twice.
    """
    from urllib.parse import parse_qsl

    if not query:
        return TlsOptions()
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _TLS_PARAMETERS or name in given or not value:
            raise DriplineValueError(f"an amqps:// address takes {', '.join(_TLS_PARAMETERS)}, each once, with a value")
        given[name] = value
    verify = given.get("verify", "verify_peer")
    if verify not in _VERIFY:
        raise DriplineValueError(f"verify in an amqps:// address is {' or '.join(_VERIFY)}")
    if "keyfile" in given and "certfile" not in given:
        raise DriplineValueError("keyfile in an amqps:// address needs certfile, the certificate that it is the key of")
    return TlsOptions(
        cacertfile=given.get("cacertfile"),
        certfile=given.get("certfile"),
        keyfile=given.get("keyfile"),
        verify=_VERIFY[verify],
        server_name=given.get("server_name_indication"),
    )


def _instead(scheme: str) -> str:
    """Return how an error names another scheme; one with these characters may be the beginning of something secret."""
    return "" if "@" in scheme or ":" in scheme else f" but with {scheme[:_MAX_SCHEME] + '://'!r}"


def _may_hold_password(text: str) -> bool:
    """Tell whether an address could be a URL, however wrong: no error shows it."""
    return text.lstrip().lower().startswith("amqp") or "@" in text or "://" in text

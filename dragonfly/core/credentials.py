"""Who we are to the broker, and where it is: the one reader of addresses, environment and authentications file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dragonfly.core.exceptions import DriplineValueError

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 5672
DEFAULT_TLS_PORT = 5671
DEFAULT_USER = "guest"
DEFAULT_AUTH_FILE = "~/.project8_authentications.json"

_FORM = "HOST, HOST:PORT or amqp://USER:PASSWORD@HOST:PORT/VHOST was expected"


class AuthenticationsFileError(DriplineValueError):
    """The authentications file is missing where it was named, or cannot be read."""


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
    """

    host: str
    port: int
    virtual_host: str
    user: str
    password: str = field(repr=False)
    tls: bool = False

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


def broker_address(broker: str | None) -> BrokerAddress:
    """Return the address that a text means; None and the empty text mean localhost.

    The user is the URL's, else the environment's (DRAGONFLY_USER, DRAGONFLY_PASSWORD), else the section `amqp` of the
    authentications file, else guest.

    Raises:
        DriplineValueError: the text is no address.
        AuthenticationsFileError: the authentications file cannot be read.
    """
    address = parsed_address(broker)
    if address.user:
        return address
    user, password = _credentials()
    return replace(address, user=user, password=password)


def parsed_address(broker: str | None) -> BrokerAddress:
    """Return the address that a text means, with the user that it names or none.

    Raises:
        DriplineValueError: the text is no address.
    """
    text = broker or DEFAULT_HOST
    if not isinstance(text, str) or any(character.isspace() for character in text):
        raise DriplineValueError(f"{_shown(text)} is no address of a broker: {_FORM}")
    scheme, separator, rest = text.partition("://")
    if separator and scheme not in ("amqp", "amqps"):
        raise DriplineValueError(f"a broker's address does not begin with {scheme[:20]}://: {_FORM}")
    try:
        return _parsed(rest if separator else text, scheme == "amqps", is_url=separator != "")
    except ValueError as err:
        raise DriplineValueError(f"{_shown(text)} is no address of a broker: {_FORM}") from err


def _parsed(text: str, tls: bool, is_url: bool) -> BrokerAddress:
    from urllib.parse import unquote, urlsplit  # not needed before a broker is

    parts = urlsplit(f"//{text}")
    if not is_url and (parts.path or "@" in text):
        raise ValueError("only a URL has a user or a path")
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.path or parts.port == 0:
        raise ValueError("no host, or more than a host")
    port = parts.port or (DEFAULT_TLS_PORT if tls else DEFAULT_PORT)
    virtual_host = unquote(parts.path[1:]) or "/"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return BrokerAddress(parts.hostname, port, virtual_host, user, password, tls)


def _shown(text: object) -> str:
    """Return a text as an error may show it: nothing that could be a URL, which may hold a password."""
    if not isinstance(text, str) or text.startswith("amqp") or "@" in text or "://" in text:
        return "the broker's address"
    return repr(text[:80])


def _credentials() -> tuple[str, str]:
    user = os.environ.get("DRAGONFLY_USER")
    if user:
        return user, os.environ.get("DRAGONFLY_PASSWORD", "")
    section = _authentications().get("amqp", {})
    if not isinstance(section, dict):
        raise AuthenticationsFileError(
            "section amqp of the authentications file must be an object with username, password"
        )
    return str(section.get("username") or DEFAULT_USER), str(section.get("password") or DEFAULT_USER)


def _authentications() -> dict[str, Any]:
    named = os.environ.get("DRAGONFLY_AUTH_FILE")
    path = Path(named or DEFAULT_AUTH_FILE)
    try:
        path = path.expanduser()
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        if named:
            raise AuthenticationsFileError(f"there is no authentications file {path} (DRAGONFLY_AUTH_FILE)") from err
        return {}
    except (OSError, ValueError, RuntimeError) as err:
        raise AuthenticationsFileError(f"the authentications file {path} cannot be read: {err}") from err
    if not isinstance(content, dict):
        raise AuthenticationsFileError(f"the authentications file {path} must hold a JSON object")
    return content

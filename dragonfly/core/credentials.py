"""Who we are to the broker and to Slack: the one reader of the environment and of the authentications file.

What is named first counts: the user in a broker's URL; DRAGONFLY_USER and DRAGONFLY_PASSWORD; section `amqp` of the
authentications file; guest. The file is that of --auth-file, else of DRAGONFLY_AUTH_FILE, else the home directory's.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dragonfly.core.broker_address import Broker, BrokerAddress, parsed_addresses
from dragonfly.core.exceptions import DriplineValueError

logger = logging.getLogger(__name__)

DEFAULT_USER = "guest"
DEFAULT_AUTH_FILE = "~/.project8_authentications.json"

_USER, _PASSWORD = "DRAGONFLY_USER", "DRAGONFLY_PASSWORD"
_FILE = "DRAGONFLY_AUTH_FILE"
_SLACK_TOKEN = "DRAGONFLY_SLACK_TOKEN"
_OTHERS = 0o077


class CredentialsError(DriplineValueError):
    """What says who we are contradicts itself, or cannot be used."""


class AuthenticationsFileError(CredentialsError):
    """The authentications file is missing where it was named, or cannot be read."""


class _Option:
    """The file that --auth-file named, and the files about whose mode the person was told."""

    path: str | None = None
    told: set[Path] = set()


@contextmanager
def auth_file(path: str | None) -> Iterator[None]:
    """Read another authentications file while the context lasts; None leaves the choice as it is."""
    before = _Option.path
    _Option.path = path if path is not None else before
    try:
        yield
    finally:
        _Option.path = before


def broker_addresses(broker: Broker) -> list[BrokerAddress]:
    """Return the addresses that are named, each with who we are to it; None and the empty text mean localhost.

    Raises:
        DriplineValueError: a text is no address.
        CredentialsError: the environment or the authentications file cannot be used.
    """
    addresses = parsed_addresses(broker)
    if all(address.user for address in addresses):
        return addresses
    user, password = _credentials()
    return [address if address.user else replace(address, user=user, password=password) for address in addresses]


def slack_token() -> str | None:
    """Return the token with which to post to Slack; None where there is none.

    Raises:
        AuthenticationsFileError: the authentications file cannot be read.
    """
    token = os.environ.get(_SLACK_TOKEN)
    if token:
        return token
    section = _section("slack", "dripline or token")
    return _text(section, "slack", "dripline") or _text(section, "slack", "token")


def _credentials() -> tuple[str, str]:
    user, password = os.environ.get(_USER) or None, os.environ.get(_PASSWORD)
    if user is not None and password is not None:
        return user, password
    if user is not None or password:
        given, missing = (_USER, _PASSWORD) if user is not None else (_PASSWORD, _USER)
        raise CredentialsError(f"{given} is set and {missing} is not: set both, or neither")
    return _credentials_in_file() or (DEFAULT_USER, DEFAULT_USER)


def _credentials_in_file() -> tuple[str, str] | None:
    section = _section("amqp", "username and password")
    user, password = _text(section, "amqp", "username") or None, _text(section, "amqp", "password")
    if user is not None and password is not None:
        return user, password
    if user is not None or password:  # half of us and half of guest is nobody
        given, missing = ("username", "password") if user is not None else ("password", "username")
        place = "section amqp of the authentications file"
        raise CredentialsError(f"{place} has {given} and not {missing}: give both, or neither")
    return None


def _section(name: str, entries: str) -> dict[str, Any]:
    section = _authentications().get(name, {})
    if not isinstance(section, dict):
        raise AuthenticationsFileError(f"section {name} of the authentications file must be an object with {entries}")
    return section


def _text(section: dict[str, Any], name: str, entry: str) -> str | None:
    value = section.get(entry)
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, bool)):
        return None if value is None else str(value)
    raise AuthenticationsFileError(f"{entry} in section {name} of the authentications file must be a text")


def _authentications() -> dict[str, Any]:
    option, variable = _Option.path, os.environ.get(_FILE)
    path = Path(option or variable or DEFAULT_AUTH_FILE)
    try:
        path = path.expanduser()
        text = _read(path)
    except FileNotFoundError as err:
        if option or variable:
            source = "--auth-file" if option else _FILE
            raise AuthenticationsFileError(f"there is no authentications file {path} ({source})") from err
        return {}
    except UnicodeDecodeError:
        # Not chained, nor is the next one: both carry what the file holds.
        raise AuthenticationsFileError(f"the authentications file {path} cannot be read: it is no UTF-8 text") from None
    except (OSError, ValueError, RuntimeError) as err:
        reason = getattr(err, "strerror", None) or err
        raise AuthenticationsFileError(f"the authentications file {path} cannot be read: {reason}") from err
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as err:
        place = f": {err}" if isinstance(err, json.JSONDecodeError) else ""
        raise AuthenticationsFileError(f"the authentications file {path} cannot be read as JSON{place}") from None
    if not isinstance(content, dict):
        raise AuthenticationsFileError(f"the authentications file {path} must hold a JSON object")
    return content


def _read(path: Path) -> str:
    with open(path, encoding="utf-8") as file:
        mode = os.fstat(file.fileno()).st_mode
        if os.name == "posix" and mode & _OTHERS and path not in _Option.told:
            _Option.told.add(path)
            logger.warning("others can use the authentications file %s: chmod 600 takes that from them", path)
        return file.read()

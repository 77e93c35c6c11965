"""Routing keys: `target` or `target.specifier`."""

import re

from dragonfly.core.constants import BROADCAST, MAX_NAME, MAX_SHORT_STRING, REPLY_QUEUE_PREFIX
from dragonfly.core.exceptions import DriplineValueError

_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_NAME}}}")


def split(routing_key: str) -> tuple[str, str]:
    """Split a routing key into its target, which is exact, and its specifier, in which '-' reads as '_'."""
    target, _, specifier = routing_key.partition(".")
    return target, specifier.replace("-", "_")


def check_name(name: object) -> str:
    """Return a name that a service or an endpoint may bear.

    Raises:
        DriplineValueError: it is no text, has other characters or another length, or is reserved.
    """
    if not isinstance(name, str):
        raise DriplineValueError(f"a name must be a text, not {name!r}")
    if not _NAME.fullmatch(name):
        raise DriplineValueError(
            f"{name[:40]!r} is no legal name: 1 to {MAX_NAME} letters, digits, '_' and '-' are, without blanks or dots"
        )
    if name == BROADCAST or name.startswith(REPLY_QUEUE_PREFIX):
        raise DriplineValueError(
            f"{name!r} is a reserved name: {BROADCAST!r} and what begins with {REPLY_QUEUE_PREFIX!r} are the mesh's"
        )
    return name


def checked_key(key: str) -> str:
    """Return a routing key, binding key or queue name that AMQP can carry.

    pika would find a wrong one on the I/O thread, where nobody can be told.

    Raises:
        DriplineValueError: it is too long, or no text that can be sent.
    """
    try:
        size = len(key) if isinstance(key, bytes) else len(key.encode())
    except UnicodeEncodeError as err:
        raise DriplineValueError(f"{key[:40]!r} cannot be sent as a routing key") from err
    if size > MAX_SHORT_STRING:
        raise DriplineValueError(f"{key[:40]!r}... is too long: AMQP allows a name of {MAX_SHORT_STRING} bytes")
    return key

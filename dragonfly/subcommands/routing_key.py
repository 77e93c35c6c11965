"""Which texts can be routing keys and binding keys at all."""

from __future__ import annotations

from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.routing import checked_key


def check_target(target: str) -> None:
    """Refuse what no service can be bound to.

    Raises:
        ValueError: the text is empty, too long, or has blanks or other invisible characters.
    """
    if not target:
        raise ValueError("the target is empty; the name of an endpoint was expected")
    if any(not character.isprintable() or character.isspace() for character in target):
        raise ValueError(f"{target!r} cannot be a target: it has blanks or characters that cannot be printed")
    check_length(target)


def check_length(text: str) -> None:
    """Refuse what AMQP cannot carry as a key or as the name of an exchange.

    Raises:
        ValueError: the text is too long, or holds bytes that are no text.
    """
    try:
        checked_key(text)
    except DriplineValueError as err:
        raise ValueError(str(err)) from err

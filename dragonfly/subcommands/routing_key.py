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
    _check(target, "a target")


def check_binding_key(key: str) -> None:
    """Refuse what matches no alert of the mesh: AMQP allows blanks, but no name has any.

    Raises:
        ValueError: the text is empty, too long, or has blanks or other invisible characters.
    """
    if not key:
        raise ValueError("the binding key is empty; one such as 'sensor_value.#' was expected")
    _check(key, "a binding key of alerts")


def check_length(text: str) -> None:
    """Refuse what AMQP cannot carry as a key or as the name of an exchange.

    Raises:
        ValueError: the text is too long, or holds bytes that are no text.
    """
    try:
        checked_key(text)
    except DriplineValueError as err:
        raise ValueError(str(err)) from err


def _check(text: str, what: str) -> None:
    if any(not character.isprintable() or character.isspace() for character in text):
        raise ValueError(f"{text!r} cannot be {what}: it has blanks or characters that cannot be printed")
    check_length(text)

"""Which texts can be routing keys and binding keys at all."""

from __future__ import annotations

_LONGEST = 255  # bytes; AMQP 0-9-1 calls it a short string


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
        ValueError: the text is too long.
    """
    if len(text.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise ValueError(f"{text[:40]!r}... is too long: AMQP allows a name of {_LONGEST} bytes")

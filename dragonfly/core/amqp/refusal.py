"""Which message the broker means when it closes a channel."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from dragonfly.core.amqp.packet import Outgoing, text_of

# From the beginning: what follows may hold a routing key, which anybody chooses.
_SIZE = re.compile(r"PRECONDITION_FAILED - message size (\d+)")
_TOPIC = "topic '"
# RabbitMQ ends a text of more than 255 bytes by this, maybe in the middle of a character.
_CUT = re.compile(r"(\\x[0-9a-f]{2})*\.\.\.$")


def words_of(reason: Any) -> str:
    """Return what the broker said when it closed a channel, out of pika's exception."""
    text = str(getattr(reason, "reply_text", reason))
    if text.startswith(("b'", 'b"')):  # it was cut in a character, and pika shows it as Python shows bytes
        import ast  # hardly ever

        with suppress(SyntaxError, ValueError):
            text = text_of(ast.literal_eval(text)) or ""
    return text


def names_one(text: str) -> bool:
    """Tell whether the first message that a text means is the one: not where it names but the exchange.

    What is too large, or has a topic that is forbidden, is so at any time. An exchange may have been there a moment
    ago, for other messages that are in flight.
    """
    return bool(_SIZE.match(text)) or _TOPIC in text


def is_meant(outgoing: Outgoing, text: str) -> bool:
    """Tell whether the broker's text means this message: it names its size, its topic, or else its exchange."""
    size = _SIZE.match(text)
    if size:
        return len(outgoing.body) == int(size[1])
    if _TOPIC not in text:
        return f"exchange '{outgoing.exchange}'" in text
    named = f"{_TOPIC}{text_of(outgoing.routing_key)}' in exchange '{outgoing.exchange}'"
    return named in text or (bool(_CUT.search(text)) and named.startswith(_CUT.sub("", text[text.index(_TOPIC) :])))

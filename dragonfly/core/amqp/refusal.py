"""Which message the broker means when it closes a channel."""

from __future__ import annotations

import re

from dragonfly.core.amqp.packet import Outgoing

_SIZE = re.compile(r"message size (\d+)")


def is_meant(outgoing: Outgoing, text: str) -> bool:
    """Tell whether the broker's text means this message: it names its size, its topic, or else its exchange."""
    size = _SIZE.search(text)
    if size:
        return len(outgoing.body) == int(size[1])
    if "topic '" in text:
        return f"topic '{outgoing.routing_key}' in exchange '{outgoing.exchange}'" in text
    return f"exchange '{outgoing.exchange}'" in text

"""Which binding keys match a routing key, as the broker's topic exchanges understand them."""

from __future__ import annotations

import re
from collections.abc import Callable


def matcher(binding_key: str) -> Callable[[str], bool]:
    """Return what tells whether a routing key matches: '*' is one word between dots, '#' any number of them."""
    words = binding_key.split(".") if binding_key else []
    pattern = re.compile("".join(_pattern(word) for word in words), re.DOTALL)

    def matches(routing_key: str) -> bool:
        return pattern.fullmatch(f".{routing_key}" if routing_key else "") is not None

    return matches


def _pattern(word: str) -> str:
    return {"*": r"\.[^.]*", "#": r"(?:\.[^.]*)*"}.get(word, rf"\.{re.escape(word)}")

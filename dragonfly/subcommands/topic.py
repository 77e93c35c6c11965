"""Which binding keys match a routing key, as the broker's topic exchanges understand them."""

from __future__ import annotations

from collections.abc import Callable


def matcher(binding_key: str) -> Callable[[str], bool]:
    """Return what tells whether a routing key matches: '*' is one word between dots, '#' any number of them.

    Its time grows with the product of their lengths at most: a regular expression for several '#' would try each way
    to share the words among them.
    """
    pattern = _words(binding_key)

    def matches(routing_key: str) -> bool:
        words = _words(routing_key)
        # How many words what was looked at of the pattern may have taken.
        taken = {0}
        for wanted in pattern:
            if wanted == "#":
                taken = set(range(min(taken), len(words) + 1))
            else:
                taken = {count + 1 for count in taken if count < len(words) and wanted in ("*", words[count])}
            if not taken:
                return False
        return len(words) in taken

    return matches


def _words(key: str) -> list[str]:
    return key.split(".") if key else []

"""When what was disturbed: outside of these times nothing may fail."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable

# What comes right after an end may still be its consequence, s.
_SLACK = 0.5


class Weather:
    """The times in which parties of the mesh (services, clients) are disturbed; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[str, float] = {}
        self._past: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def begin(self, parties: Iterable[str]) -> None:
        """Take note that these are disturbed from now on."""
        now = time.monotonic()
        with self._lock:
            for party in parties:
                self._begun.setdefault(party, now)

    def end(self, party: str) -> None:
        """Take note that one is well again."""
        with self._lock:
            begun = self._begun.pop(party, None)
            if begun is not None:
                self._past[party].append((begun, time.monotonic() + _SLACK))

    def is_calm(self, party: str) -> bool:
        """Tell whether a party is well."""
        with self._lock:
            return party not in self._begun

    def was_disturbed(self, party: str, since: float, until: float) -> bool:
        """Tell whether a party was disturbed at any time between two moments (monotonic, s)."""
        with self._lock:
            if self._begun.get(party, until + 1.0) <= until:
                return True
            # The latest come first: what is asked for was just now.
            for begun, ended in reversed(self._past[party]):
                if ended < since:
                    return False
                if begun <= until:
                    return True
        return False

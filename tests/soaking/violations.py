"""What must not be and was seen, each in a sentence."""

from __future__ import annotations

import threading
import time

# So many of one kind are told; the others are counted.
_TOLD = 5


class Violations:
    """Collects them from any thread, and tells each as it comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._began = time.monotonic()
        self.sentences: list[str] = []

    @property
    def count(self) -> int:
        """How many there are."""
        with self._lock:
            return sum(self._counts.values())

    def add(self, kind: str, sentence: str) -> None:
        """Take note of one.

        Args:
            kind: which promise it is about.
            sentence: what was seen.
        """
        with self._lock:
            count = self._counts[kind] = self._counts.get(kind, 0) + 1
            text = f"{time.monotonic() - self._began:.1f} s: {kind}: {sentence}"
            if count <= _TOLD:
                self.sentences.append(text)
        if count <= _TOLD:
            print(f"VIOLATION {text}", flush=True)

    def summary(self) -> list[str]:
        """Return the sentences, and how many of a kind were not told."""
        with self._lock:
            more = [f"{kind}: {count - _TOLD} more" for kind, count in self._counts.items() if count > _TOLD]
            return self.sentences + more

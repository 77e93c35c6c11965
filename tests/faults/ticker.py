"""An instrument that counts, loaded by module_path: each value is told once, and when it was read is known."""

import time

from dragonfly.core import Spime


class Ticker(Spime):
    """A value that is one more at each get."""

    not_for_the_mesh = frozenset({"read_at"})

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        # When each value was read, s since 1970.
        self.read_at: list[float] = []

    def on_get(self) -> int:
        self.read_at.append(time.time())
        return len(self.read_at) - 1

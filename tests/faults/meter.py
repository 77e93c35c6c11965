"""A sensor that counts its values, loaded by module_path."""

import time
from typing import Any

from dragonfly.core import Spime, calibrate


class Meter(Spime):
    """A value that is the number of its readings so far, and the time of this one, UTC, s since 1970."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._made = 0

    @property
    def made(self) -> int:
        """How many values there were."""
        return self._made

    @calibrate()
    def on_get(self) -> str:
        self._made += 1
        return f"{self._made} {time.time():.3f}"

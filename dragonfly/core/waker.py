"""Waking a thread that waits, from a signal handler as well.

An Event is no such thing: its lock may be held by the very thread that the handler interrupts, which then waits for
itself for ever. The queue's `put` is made for that.
"""

from __future__ import annotations

import queue
from contextlib import suppress

SLICE_SECONDS = 0.5


class Waker:
    """Each `wake` ends one `wait`, be it the one at present or a later one."""

    def __init__(self) -> None:
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wake(self) -> None:
        """End a wait; any thread, and safe in a signal handler."""
        self._wakes.put(None)

    def wait(self) -> None:
        """Wait until there is something to look at."""
        while True:
            # In slices: a signal that comes at the moment when a wait begins is seen by Python only when that ends.
            with suppress(queue.Empty):
                return self._wakes.get(timeout=SLICE_SECONDS)

"""Waiting for a time, with an eye on signals."""

from __future__ import annotations

import threading
import time

from dragonfly.core.waker import SLICE_SECONDS


def pause_until(due: float) -> None:
    """Wait until a time of the monotonic clock (s) has come; not at all where it has passed."""
    pause = threading.Event()
    while (left := due - time.monotonic()) > 0:
        # In slices, for the signals that end a verb: see Waker.
        pause.wait(min(left, SLICE_SECONDS))

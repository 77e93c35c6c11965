"""How tests wait for what other threads and processes do."""

import threading
import time
from collections.abc import Callable

POLL_SECONDS = 0.005


def wait_until(reached: Callable[[], bool], timeout: float = 5.0) -> bool:
    """Wait until something is so, at most `timeout` s; tell whether it is.

    The pause between two looks is not what the test waits for: it leaves the processor to those who are waited for.
    """
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not reached():
        if time.monotonic() > deadline:
            return False
        pause.wait(POLL_SECONDS)
    return True

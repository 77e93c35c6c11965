"""Ctrl-C while the program is being loaded: there is nothing to end in order, and nobody wants to see where it was.

This module is loaded before all others, and loads next to nothing itself.
"""

import os
import signal
from typing import NoReturn

INTERRUPTED = 130


def leave_quietly() -> None:
    """Let Ctrl-C end the process at once, unless whoever started it wants Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def raise_again() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again: from here on somebody handles it."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_ignored: object) -> NoReturn:
    os._exit(INTERRUPTED)

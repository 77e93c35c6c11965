"""A time in the command line."""

from __future__ import annotations

import argparse
import math

from dragonfly.core.constants import LONGEST_TIMEOUT

SHORTEST = 0.001  # s; a broker counts milliseconds, and what is repeated without a pause would do nothing else


def seconds(text: str) -> float:
    """Return the time that a word stands for, s; argparse calls it.

    Raises:
        ArgumentTypeError: it is no time, or shorter or longer than a broker can count.
    """
    try:
        time = float(text)
    except ValueError:
        time = math.nan
    if not SHORTEST <= time <= LONGEST_TIMEOUT:
        expected = f"a number of seconds from {SHORTEST} to {LONGEST_TIMEOUT} was expected"
        raise argparse.ArgumentTypeError(f"{expected}, not {text!r}")
    return time

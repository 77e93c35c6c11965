"""A time in the command line."""

from __future__ import annotations

import argparse
import math

from dragonfly.core.constants import LONGEST_TIMEOUT


def seconds(text: str) -> float:
    """Return the time that a word stands for, s; argparse calls it.

    Raises:
        ArgumentTypeError: it is no time above 0, or longer than a broker can count.
    """
    try:
        time = float(text)
    except ValueError:
        time = math.nan
    if not 0 < time <= LONGEST_TIMEOUT:
        expected = f"a number of seconds above 0, up to {LONGEST_TIMEOUT}, was expected"
        raise argparse.ArgumentTypeError(f"{expected}, not {text!r}")
    return time

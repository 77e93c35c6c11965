"""How often a service looks for garbage that refers to itself."""

from __future__ import annotations

import gc

# After so many objects that were made and not freed, Python looks through the youngest; after so many looks, through
# those that outlived one, and so on. Its own 700, or 2,000, are fewer than what a hundred waiting requests are made of.
_OBJECTS, _LOOKS, _LONGER_LOOKS = 20_000, 20, 20


def collect_rarely() -> None:
    """Have the garbage collector leave alone what is there now, and look less often for what comes.

    Requests and replies are freed when they are done with, without it. For a full queue of them it took 6 % of a
    service's time (tests/bench pipelined_get), and for 10,000 endpoints each full look is 0.1 s.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS, _LOOKS, _LONGER_LOOKS)

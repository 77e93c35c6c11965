"""What a worker (see children.py) does with the lines that it is given: COUNT, or `one COUNT`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_WARM_UP = 1_000


def answer_lines(many: Callable[[int], None], one_by_one: Callable[[int], None] | None = None) -> None:
    """Say `ready`, and to each line how many gets a second there were.

    Args:
        many: does so many gets, up to 1,000 on their way at a time.
        one_by_one: does so many gets, one after another.
    """
    many(_WARM_UP)
    print("ready", flush=True)
    for line in sys.stdin:
        *one, count = line.split()
        work = one_by_one if one and one_by_one else many
        begin = time.perf_counter()
        work(int(count))
        print(int(count) / (time.perf_counter() - begin), flush=True)

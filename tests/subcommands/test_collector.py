"""How often the garbage collector looks, and at what."""

import subprocess
import sys

# Counts the looks at the youngest objects while many are made that all stay, as waiting requests do.
PROGRAM = """
import gc, sys
from dragonfly.subcommands.collector import collect_rarely

if sys.argv[1] == "told":
    collect_rarely()
before = gc.get_stats()[0]["collections"]
waiting = [[number] for number in range(100_000)]
print(gc.get_stats()[0]["collections"] - before, gc.get_freeze_count())
"""


def looks_of(argument: str) -> tuple[int, int]:
    """Return how often the collector looked, and how many objects it leaves alone."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, argument], capture_output=True, text=True, check=True)
    looks, left_alone = map(int, done.stdout.split())
    return looks, left_alone


def test_a_service_looks_for_garbage_rarely_and_not_at_what_was_there_before() -> None:
    usual, none = looks_of("untold")
    rare, left_alone = looks_of("told")
    assert 10 * rare < usual
    assert (none, left_alone > 1_000) == (0, True)

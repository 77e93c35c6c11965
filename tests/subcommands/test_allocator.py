"""Whether memory of large messages goes back to the system."""

import subprocess
import sys

import pytest

# Blocks as large messages are, freed while a later one is held: glibc would keep them for what comes.
PROGRAM = """
import sys
from dragonfly.subcommands.allocator import give_back_large_blocks

if sys.argv[1] == "told":
    give_back_large_blocks()
for _ in range(20):
    held = [bytes(16 << 20) for _ in range(8)]
    held.append(bytes(1 << 19))
    del held[:8]
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmRSS")))
"""


def resident_after(argument: str) -> int:
    """Return the resident memory of a process that held large blocks, kB."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, argument], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what was freed")
def test_what_is_freed_of_large_blocks_goes_back() -> None:
    assert resident_after("told") < 40_000

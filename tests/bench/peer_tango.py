"""A PyTango device without a database and its client, on loopback alone.

python -m tests.bench.peer_tango serve    says `ready PORT`
python -m tests.bench.peer_tango ask PORT    a worker
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

import tango
from tango.server import Device, attribute, run

from dragonfly.testing.processes import free_ports
from tests.bench.answering import answer_lines
from tests.bench.load import IN_FLIGHT

_DEVICE = "bench/peer/1"
_PATIENCE_MS = 30_000


class BenchPeer(Device):
    """A device with one value."""

    @attribute(dtype=float)
    def value(self) -> float:
        """Return the value."""
        return 1.5


def serve() -> None:
    """Serve the device until the process is ended."""
    (port,) = free_ports(1)
    words = ["bench", "1", "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}", "-nodb", "-dlist", _DEVICE]
    run((BenchPeer,), args=words, post_init_callback=lambda: print(f"ready {port}", flush=True))


def ask(port: str) -> None:
    """Answer lines until there are no more."""
    proxy = tango.DeviceProxy(f"tango://127.0.0.1:{port}/{_DEVICE}#dbase=no")
    proxy.set_source(tango.DevSource.DEV)

    def many(count: int) -> None:
        on_their_way: deque[Any] = deque()
        for _ in range(count):
            if len(on_their_way) == IN_FLIGHT:
                proxy.read_attribute_reply(on_their_way.popleft(), _PATIENCE_MS)
            on_their_way.append(proxy.read_attribute_asynch("value"))
        while on_their_way:
            proxy.read_attribute_reply(on_their_way.popleft(), _PATIENCE_MS)

    def one_by_one(count: int) -> None:
        for _ in range(count):
            proxy.read_attribute("value")

    answer_lines(many, one_by_one)


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else ask(sys.argv[2])

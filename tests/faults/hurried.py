"""The command line of programs that look after their bindings every second, and not every 30 s."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dragonfly import cli
from dragonfly.core import alert_queue, listener, service_binding

HURRIED = [sys.executable, "-c", "from tests.faults.hurried import main; main()"]
SECONDS = 1.0
PLACES = (
    (service_binding, "SELF_PING_SECONDS"),
    (alert_queue, "BIND_AGAIN_SECONDS"),
    (listener, "BIND_AGAIN_SECONDS"),
)


@contextmanager
def hurried() -> Iterator[None]:
    """Have this process look after its bindings so often, as long as the block lasts."""
    before = [getattr(module, name) for module, name in PLACES]
    for module, name in PLACES:
        setattr(module, name, SECONDS)
    try:
        yield
    finally:
        for (module, name), value in zip(PLACES, before, strict=True):
            setattr(module, name, value)


def main() -> None:
    """Run the command line."""
    with hurried():
        cli.entry()

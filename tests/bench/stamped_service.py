"""A service that notes when a request passes which of its functions.

python -m tests.bench.stamped_service FILE serve -c CONFIG -b BROKER

It is the product's service, with wrappers around functions that have names in its design, not around how they work; a
point that nothing passes any more is left out. When it ends, it writes to FILE what `Stamps` has.

Rules:
1. One request is on its way at a time. It begins with the last read from a socket before `RequestHandler.deliver`, and
   ends with the first write to one afterwards.
2. Of a point that is passed more than once, the first time counts.
3. What the stamps themselves cost is measured, too: `cost_of_a_stamp`.
"""

from __future__ import annotations

import functools
import importlib
import json
import socket
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any, NamedTuple

READ, FIRST, WRITE, LAST = "read", "AMQP frames taken apart", "AMQP frames made", "written to the socket"


class Point(NamedTuple):
    """A point that a request passes.

    Args:
        name: what has been done when it is reached.
        module: where the function is.
        function: its name there, maybe with that of its class.
        at_its_end: whether it is reached when the function returns, not when it is called.
    """

    name: str
    module: str
    function: str
    at_its_end: bool = False


POINTS = (
    Point(FIRST, "dragonfly.core.request_handler", "RequestHandler.deliver"),
    Point("JSON decoded", "dragonfly.core.codec", "decode", at_its_end=True),
    Point("put on the lane", "dragonfly.core.lane", "Lane.put"),
    Point("its turn on the lane, on another thread", "dragonfly.core.request_handler", "RequestHandler.execute"),
    Point("handler begins", "dragonfly.core", "Endpoint.handle"),
    Point("handler ends", "dragonfly.core", "Endpoint.handle", at_its_end=True),
    Point("reply made and encoded", "dragonfly.core.codec", "SenderEncoder.encode", at_its_end=True),
    Point("handed to the publisher", "dragonfly.core.amqp.publisher", "Publisher.submit"),
)
NAMES = (READ, *(point.name for point in POINTS), WRITE, LAST)
_READERS, _WRITERS = ("recv", "recv_into", "recvmsg"), ("send", "sendall", "sendmsg")
# Fewer bytes are no request and no reply: confirms, heartbeats, and what wakes a thread.
_SMALLEST = 64
_CALLS = 50_000


class Stamps:
    """The times at which requests reached the points, in ns.

    Attributes:
        requests: those that are answered.
        now: the one that is on its way.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, int]] = []
        self._read = 0
        self.now: dict[str, int] | None = None

    def read(self, now: int) -> None:
        """Note that bytes have come."""
        self._read = now

    def reached(self, name: str) -> None:
        """Note that a point is reached."""
        now = perf_counter_ns()
        if name == FIRST:
            self.now = {READ: self._read}
        if self.now is not None:
            self.now.setdefault(name, now)

    def written(self, begin: int, end: int) -> None:
        """Note that bytes went out."""
        if self.now is not None:
            self.requests.append({**self.now, WRITE: begin, LAST: end})
            self.now = None


def wrapped(function: Callable[..., Any], stamps: Stamps, begin: str | None, end: str | None) -> Callable[..., Any]:
    """Return a function that does the same and notes when it is called, when it returns, or both."""

    @functools.wraps(function)
    def stamped(*args: Any, **kwargs: Any) -> Any:
        if begin is not None:
            stamps.reached(begin)
        result = function(*args, **kwargs)
        if end is not None:
            stamps.reached(end)
        return result

    return stamped


def install(stamps: Stamps) -> None:
    """Wrap the functions of all points and those of sockets, in this process for good."""
    for module, function in dict.fromkeys((point.module, point.function) for point in POINTS):
        names = {
            point.at_its_end: point.name for point in POINTS if (point.module, point.function) == (module, function)
        }
        *path, last = function.split(".")
        try:
            owner = functools.reduce(getattr, path, importlib.import_module(module))
            if isinstance(owner, type):  # where it is inherited from, so that its brothers are stamped as well
                owner = next(each for each in owner.__mro__ if last in vars(each))
            original = getattr(owner, last)
        except (ImportError, AttributeError, StopIteration):
            continue  # who reads the stamps says so
        setattr(owner, last, wrapped(original, stamps, names.get(False), names.get(True)))
    for name in _READERS:
        setattr(socket.socket, name, _reader(getattr(socket.socket, name), stamps))
    for name in _WRITERS:
        setattr(socket.socket, name, _writer(getattr(socket.socket, name), stamps))


def _reader(function: Callable[..., Any], stamps: Stamps) -> Callable[..., Any]:
    def read(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if (result if isinstance(result, int) else len(result)) >= _SMALLEST:
            stamps.read(perf_counter_ns())
        return result

    return read


def _writer(function: Callable[..., Any], stamps: Stamps) -> Callable[..., Any]:
    def write(*args: Any, **kwargs: Any) -> Any:
        begin = perf_counter_ns()
        result = function(*args, **kwargs)
        if (len(args[1]) if result is None else result) >= _SMALLEST:  # sendall returns nothing
            stamps.written(begin, perf_counter_ns())
        return result

    return write


def cost_of_a_stamp() -> float:
    """Return what one wrapper that notes one time costs (s)."""

    def nothing() -> None:
        return None

    stamps = Stamps()
    stamps.reached(FIRST)
    stamped = wrapped(nothing, stamps, "a point", None)
    bare, whole = (min(timeit.repeat(each, number=_CALLS, repeat=5)) for each in (nothing, stamped))
    return max(0.0, whole - bare) / _CALLS


def main(path: Path, words: list[str]) -> None:
    """Be the program `dragonfly`, and write the stamps when it ends."""
    stamps = Stamps()
    install(stamps)
    from dragonfly.__main__ import entry

    sys.argv = ["dragonfly", *words]
    try:
        entry()
    finally:
        path.write_text(json.dumps({"requests": stamps.requests, "cost": cost_of_a_stamp()}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

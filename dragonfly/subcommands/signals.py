"""What SIGINT and SIGTERM do while a verb runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise Terminated, which is a KeyboardInterrupt, while the context lasts."""
    with _handling(_raise_terminated, signal.SIGTERM):
        yield


@contextmanager
def calling_on_signals(action: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM call an action while the context lasts."""
    with _handling(lambda *_: action(), signal.SIGINT, signal.SIGTERM):
        yield


def _raise_terminated(*_ignored: Any) -> None:
    raise Terminated


@contextmanager
def _handling(handler: Callable[..., Any], *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)

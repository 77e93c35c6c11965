"""What tests of lanes put on them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dragonfly.core.exceptions import DriplineBusyError, DriplineError
from dragonfly.core.lane import Lane

PATIENCE = 5.0


class Gate:
    """An action that says when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.ended = threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        self.ended.set()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *exc: object) -> None:
        self.may_end.set()


def never(reason: DriplineError) -> None:
    raise AssertionError(f"refused: {reason}")


def threads_of_the_pool() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("test lane")]


def wait_until_idle(lane: Lane) -> None:
    """Let what was put run to its end: an action of ours is the last."""
    done = threading.Event()
    lane.put(done.set, never)
    assert done.wait(PATIENCE)


def put_when_a_thread_is_free(lane: Lane, action: Callable[[], None]) -> None:
    """Put an action; a thread whose work has just ended is counted as free a moment later."""
    for _ in range(1_000_000):
        try:
            lane.put(action, never)
        except DriplineBusyError:
            continue
        return
    pytest.fail("no thread became free")

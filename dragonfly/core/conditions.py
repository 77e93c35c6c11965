"""Telling all endpoints of a service a condition of the laboratory, each on its lane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from dragonfly.core import codec
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, DriplineTimeoutError, DriplineValueError, reply_fields
from dragonfly.core.lane import Lane
from dragonfly.core.message import ReplyMessage
from dragonfly.core.request_job import attempt_call

# The second is what the original calls.
_HOOKS = ("on_set_condition", "_set_condition")


def set_conditions(
    routes: Mapping[str, tuple[Endpoint, Lane]], condition: int, deadline: float
) -> dict[str, dict[str, Any]]:
    """Call each endpoint's `on_set_condition(condition)`, if it has one, and return what came of it by name.

    Args:
        routes: endpoint and lane by endpoint name.
        condition: its number.
        deadline: monotonic time until which answers are waited for, s; what has not begun by then does not begin.

    Returns:
        For each endpoint `retcode`, `return_msg` and `result`.

    Raises:
        DriplineValueError: the condition is no whole number.
    """
    if not isinstance(condition, int) or isinstance(condition, bool):
        raise DriplineValueError(f"a condition is a whole number, not {condition!r:.80}")
    told = {}
    for name, (endpoint, lane) in routes.items():
        hook = _hook_of(endpoint)
        if hook is not None:
            told[name] = _Told(hook, condition)
            told[name].tell(lane)
    return {name: each.wait(deadline) for name, each in told.items()}


def _hook_of(endpoint: Endpoint) -> Callable[[int], Any] | None:
    hooks = (getattr(endpoint, name, None) for name in _HOOKS)
    return next((hook for hook in hooks if callable(hook)), None)


class _Told:
    """An endpoint that is told."""

    def __init__(self, hook: Callable[[int], Any], condition: int) -> None:
        self._hook = hook
        self._condition = condition
        self._given_up = False
        self._ended = threading.Event()
        self._fields: tuple[int, str, Any] = (0, "", None)

    def tell(self, lane: Lane) -> None:
        """Have it told on its lane, after what waits there."""
        if lane is Lane.current():  # the service itself: its lane would wait for this
            self._run()
            return
        try:
            lane.put(self._run, self._end)
        except DriplineError as err:
            self._end(err)

    def wait(self, deadline: float) -> dict[str, Any]:
        """Wait until it has answered and return the answer."""
        self._given_up = not self._ended.wait(max(0.0, deadline - time.monotonic()))
        late = DriplineTimeoutError("it did not answer in time")
        fields = reply_fields(late) if self._given_up else self._fields
        return dict(zip(("retcode", "return_msg", "result"), fields, strict=True))

    def _run(self) -> None:
        if self._given_up:
            return
        result, error = attempt_call(self._hook, self._condition)
        self._fields = (0, "", result)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if error is not None:
            self._fields = reply_fields(error)
        # One whose answer cannot be sent must not take away those of all others.
        _, problem = attempt_call(codec.encode, ReplyMessage(self._fields[2]))
        if problem is not None:
            self._fields = (*reply_fields(error or problem)[:2], None)
        self._ended.set()

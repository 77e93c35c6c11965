"""Runs the calls of a config file, each on the lane of its target, one after another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from dragonfly.core import mesh_access
from dragonfly.core.calls import Call
from dragonfly.core.constants import OP_CMD
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineError,
    DriplineTimeoutError,
    is_remark,
    reply_fields,
)
from dragonfly.core.lane import Lane
from dragonfly.core.lockout import THE_SERVICE
from dragonfly.core.near_miss import did_you_mean
from dragonfly.core.request_job import attempt

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05


def problems_of(calls: Sequence[Call], endpoints: Mapping[str, Endpoint]) -> list[tuple[Call, str]]:
    """Return the calls whose target is not there, or has no such command, each with a sentence about it."""
    problems = []
    for call in calls:
        endpoint = endpoints.get(call.target)
        if endpoint is None:
            hint = did_you_mean(call.target, endpoints, "it must be one of this file")
            problems.append((call, f"there is no endpoint {call.target!r} to call{hint}"))
        elif call.operation == OP_CMD:
            try:
                mesh_access.command(endpoint, call.specifier)
            except DriplineError as err:
                problems.append((call, str(err)))
    return problems


class CallRunner:
    """Runs calls; any thread but the I/O thread and the lanes'.

    Args:
        routes: endpoint and lane by endpoint name.
    """

    def __init__(self, routes: Mapping[str, tuple[Endpoint, Lane]]) -> None:
        self._routes = routes

    def run(self, calls: Sequence[Call], timeout: float, hurried: Callable[[], bool]) -> list[str]:
        """Run calls in their order, and return a sentence for each that failed; it is logged as well.

        Args:
            calls: what to run.
            timeout: how long each may take until it has ended, s.
            hurried: tells that nobody wants them any more: the one that runs is not waited for, and no other begins.
        """
        failures = []
        for call in calls:
            if hurried():
                break
            error = self._run_one(call, timeout, hurried)
            if error is None:
                logger.info("%s is called", call)
            else:
                _, text, _ = reply_fields(error)
                failures.append(f"{call} could not be called: {text}")
                logger.error("%s", failures[-1])
                logger.debug("%s failed", call, exc_info=error)
        return failures

    def _run_one(self, call: Call, timeout: float, hurried: Callable[[], bool]) -> BaseException | None:
        endpoint, lane = self._routes[call.target]
        running = _Running(call, endpoint, hurried)
        try:
            lane.put(running.run, running.end)
        except DriplineError as err:
            return err
        deadline = time.monotonic() + timeout
        while not running.ended.wait(_POLL_SECONDS):
            if time.monotonic() >= deadline or hurried():
                return running.give_up(timeout)
        return running.error


class _Running:
    """One call on its lane.

    Args:
        call: what to do.
        endpoint: its target.
        hurried: tells, just before it would begin, that nobody wants it any more.
    """

    def __init__(self, call: Call, endpoint: Endpoint, hurried: Callable[[], bool]) -> None:
        self._call = call
        self._endpoint = endpoint
        self._hurried = hurried
        # It begins, or it is given up, whatever comes first: the text says which, and must be true.
        self._deciding = threading.Lock()
        self._given_up = False
        self._begun = False
        self.ended = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do it, unless it comes too late."""
        with self._deciding:
            if self._given_up or self._hurried():
                return
            self._begun = True
        _, _, _, operation, specifier, args, kwargs = self._call
        _, error = attempt(self._endpoint, operation, specifier, list(args), dict(kwargs), THE_SERVICE)
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Note how it ended."""
        if error is not None and not is_remark(error):
            self.error = error
        self.ended.set()

    def give_up(self, seconds: float) -> DriplineTimeoutError:
        """Wait no longer; what has not begun does not begin any more."""
        with self._deciding:
            self._given_up = True
        state = "has not ended" if self._begun else "did not begin, since its instrument is busy,"
        return DriplineTimeoutError(f"it {state} within {seconds:g} s")

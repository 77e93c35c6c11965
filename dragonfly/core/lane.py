"""Lanes: serial executors over one growing pool of threads.

Rules:
1. What is put on a lane runs in that order, one thing at a time, so an instrument's bus is never used twice at once.
2. A lane holds a thread only while it has work. The pool grows to its limit and shrinks when threads are idle.
3. A full lane or a full pool refuses; nothing waits without bound.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable

from dragonfly.core.exceptions import DriplineBusyError, DriplineError

DEFAULT_MAX_THREADS = 256
LANE_LIMIT = 10_000
IDLE_SECONDS = 5.0

# Which lane a thread works for at the moment.
_THREAD = threading.local()

Action = Callable[[], None]
Refused = Callable[[DriplineError], None]


class LanePool:
    """The threads that lanes borrow.

    Args:
        name: first part of the threads' names.
        max_threads: how many there may be.
    """

    def __init__(self, name: str, max_threads: int = DEFAULT_MAX_THREADS) -> None:
        self._name = name
        self._max_threads = max_threads
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[Action | None] = queue.SimpleQueue()
        self._threads: set[threading.Thread] = set()
        # Idle threads that no job has been put aside for yet: whoever takes one counts it down.
        self._idle = 0
        self._started = 0

    def run(self, job: Action) -> None:
        """Run a job on a thread of its own; any thread. Its last act must be `give_back`.

        Raises:
            DriplineBusyError: all threads that there may be are at work.
        """
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._max_threads:
                self._start_thread()
            else:
                raise DriplineBusyError(f"all {self._max_threads} threads of {self._name} are at work")
            self._jobs.put(job)

    def give_back(self) -> None:
        """Count the thread of a job that is about to end as free, so that who comes next is not refused."""
        with self._lock:
            self._idle += 1

    def stop(self, timeout: float) -> bool:
        """Wait until all threads have ended, at most `timeout` s; tell whether they have."""
        deadline = time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _start_thread(self) -> None:
        self._started += 1
        # A daemon, so that a handler which hangs for ever does not keep a stopped service alive.
        thread = threading.Thread(target=self._work, name=f"{self._name} {self._started}", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as err:
            self._threads.discard(thread)
            raise DriplineBusyError(f"this machine has no thread left for {self._name}") from err

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                job()
                del job  # an idle thread must not keep alive what it worked on
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _next(self) -> Action | None:
        while True:
            try:
                return self._jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._idle:  # else a job was put aside for this thread just now
                        self._idle -= 1
                        # At once: a pool of one thread would else refuse a job until this one has ended.
                        self._threads.discard(threading.current_thread())
                        return None


class Lane:
    """A serial executor.

    Args:
        name: of the endpoint whose subtree shares it.
        pool: where its thread comes from.
        limit: how many actions may wait.
    """

    def __init__(self, name: str, pool: LanePool, limit: int = LANE_LIMIT) -> None:
        self.name = name
        self._pool = pool
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Action, Refused]] = deque()
        self._active = False
        self._began: float | None = None

    @property
    def depth(self) -> int:
        """How many actions wait."""
        return len(self._waiting)

    @property
    def busy_seconds(self) -> float:
        """For how long the present action has run, s; 0 where none does."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    @staticmethod
    def current() -> Lane | None:
        """Return the lane whose action calls this; None on other threads."""
        return getattr(_THREAD, "lane", None)

    def put(self, action: Action, refused: Refused) -> None:
        """Run an action after all that were put before; any thread.

        Args:
            action: what to do; it must not raise.
            refused: called with the reason instead, where its turn does not come.

        Raises:
            DriplineBusyError: the lane or the pool is full.
        """
        with self._lock:
            if len(self._waiting) >= self._limit:
                raise DriplineBusyError(f"{self.name} has {self._limit} requests waiting already")
            self._waiting.append((action, refused))
            if self._active:
                return
            self._active = True
        try:
            self._pool.run(self._drain)
        except DriplineBusyError as err:
            # What other threads put meanwhile found the lane active and has no thread either.
            self._empty(err, spare=action)
            raise

    def discard(self, reason: DriplineError) -> None:
        """Empty the lane: tell all that wait why their turn does not come."""
        self._empty(reason)

    def _empty(self, reason: DriplineError, spare: Action | None = None) -> None:
        with self._lock:
            entries = list(self._waiting)
            self._waiting.clear()
            if spare is not None:
                self._active = False
        for action, refused in entries:
            if action is not spare:
                refused(reason)

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self._active

    def _drain(self) -> None:
        _THREAD.lane = self
        while True:
            with self._lock:
                if not self._waiting:
                    _THREAD.lane = self._began = None
                    self._pool.give_back()
                    self._active = False
                    return
                action, _ = self._waiting.popleft()
            self._began = time.monotonic()
            action()

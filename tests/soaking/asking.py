"""One client of a soak, as a program of its own: several threads that ask, and a line of JSON twice a second.

    python -m tests.soaking.asking ADDRESS NUMBER RATE TARGET...

A line says how many requests were answered, when the newest of them was sent, which ones failed, and what must not be.
All times are those of the monotonic clock, which is one for all processes of a machine; deadlines are UTC, s.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from dragonfly.core.exceptions import DriplineError
from dragonfly.core.interface import Interface
from dragonfly.core.message import ReplyMessage

# Threads that have many requests on their way at a time, and those that have one.
BULK, SOLO = 4, 2
# Numbers of commands are unique: this many threads of all clients, and each counts by itself.
THREADS = 64
BULK_TIMEOUT, SOLO_TIMEOUT = 4.0, 2.0
# How many requests of a thread are on their way at most: a slow machine is asked less.
WINDOW = 50
# How many requests go to one target, one after another.
RUN = 8
_ROUND = 2_000
_SOLO_PAUSE = 0.01
_TICK = 0.5
# How far ahead of its rate a thread is when it pauses, s.
_PACE = 0.03


class Report:
    """What the threads of a client have found since it was told last; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._ok = 0
        self._newest = 0.0
        self._failures: list[tuple[float, float, str, int, str]] = []
        self._wrong: list[str] = []

    def answered(self, sent: float) -> None:
        with self._lock:
            self._ok += 1
            self._newest = max(self._newest, sent)

    def failed(self, sent: float, target: str, code: int, text: str) -> None:
        with self._lock:
            self._failures.append((round(sent, 3), round(time.monotonic(), 3), target, code, text[:200]))

    def is_wrong(self, text: str) -> None:
        with self._lock:
            self._wrong.append(text)

    def line(self) -> str:
        """Return it as JSON, and begin anew."""
        with self._lock:
            found = {"ok": self._ok, "newest": self._newest, "failures": self._failures, "wrong": self._wrong}
            self._clear()
        return json.dumps(found)


class Asker:
    """One thread's requests, and what it makes of their replies."""

    def __init__(self, mesh: Interface, thread: int, targets: list[str], report: Report) -> None:
        self._mesh = mesh
        self._thread = thread
        self._targets = targets
        self._report = report
        self._random = random.Random(thread)
        self._target = ""
        self._asked = 0
        self._count = 0

    def order(self, timeout: float) -> tuple[str, str, dict[str, Any] | None]:
        """Return verb, target and value of the next request."""
        if self._asked % RUN == 0:
            self._target = self._random.choice(self._targets)
        self._asked += 1
        target = self._target
        verb = self._random.choices(("get", "set", "cmd"), (4, 3, 3))[0]
        if verb == "get":
            return verb, target, None
        self._count += 1
        number = self._count * THREADS + self._thread
        return verb, target, {"number": number, "deadline": round(time.time() + timeout, 3)}

    def judge(self, sent: float, target: str, value: dict[str, Any] | None, reply: ReplyMessage) -> None:
        """Look at a reply: it must be the one to this request."""
        if reply.failed:
            self._report.failed(sent, target, reply.retcode, reply.return_msg)
            return
        expected = {"target": target, "number": None if value is None else value["number"]}
        if reply.payload != expected:
            self._report.is_wrong(f"the reply to {expected} was {reply.payload!r:.120}")
        self._report.answered(sent)

    def ask_many(self, rate: float, stopping: threading.Event) -> None:
        """Have many requests on their way, `rate` a second."""
        began, count = time.monotonic(), 0
        sent: deque[tuple[float, str, dict[str, Any] | None]] = deque()

        def orders() -> Iterator[Any]:
            nonlocal began, count
            for _ in range(_ROUND):
                ahead = began + count / rate - time.monotonic()
                if ahead < -1.0:  # what was not asked in time is not asked later
                    began, count = time.monotonic(), 0
                elif ahead > _PACE:
                    time.sleep(ahead)
                if stopping.is_set() or len(sent) >= WINDOW:
                    return
                count += 1
                verb, target, value = self.order(BULK_TIMEOUT)
                sent.append((time.monotonic(), target, value))
                yield target if value is None else (verb, f"{target}.do" if verb == "cmd" else target, value)

        while not stopping.is_set():
            for reply in self._mesh.request_many(orders(), timeout=BULK_TIMEOUT):
                moment, target, value = sent.popleft()
                self.judge(moment, target, value, reply)

    def ask_one_by_one(self, stopping: threading.Event) -> None:
        """Have one request on its way."""
        while not stopping.wait(_SOLO_PAUSE):
            verb, target, value = self.order(SOLO_TIMEOUT)
            sent = time.monotonic()
            try:
                if verb == "get":
                    reply = self._mesh.get(target, timeout=SOLO_TIMEOUT)
                elif verb == "set":
                    reply = self._mesh.set(target, value, timeout=SOLO_TIMEOUT)
                else:
                    reply = self._mesh.cmd(target, "do", value, timeout=SOLO_TIMEOUT)
            except DriplineError as err:
                self._report.failed(sent, target, err.retcode, str(err))
            else:
                self.judge(sent, target, value, reply)


def main() -> None:
    """Ask until SIGTERM."""
    address, number, rate, *targets = sys.argv[1:]
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    report = Report()
    first = int(number) * (BULK + SOLO)
    # Neighbours have one thread, so that a service that does not answer delays the requests to few others.
    share = len(targets) // BULK
    with Interface(address, name=f"client{number}", confirm_retcodes=False) as mesh:
        askers = [Asker(mesh, first + at, targets[at * share : (at + 1) * share], report) for at in range(BULK)]
        solos = [Asker(mesh, first + BULK + at, targets, report) for at in range(SOLO)]
        threads = [threading.Thread(target=asker.ask_many, args=(float(rate) / BULK, stopping)) for asker in askers]
        threads += [threading.Thread(target=solo.ask_one_by_one, args=(stopping,)) for solo in solos]
        for thread in threads:
            thread.start()
        while not stopping.wait(_TICK):
            print(report.line(), flush=True)
        for thread in threads:
            thread.join()
    print(report.line(), flush=True)


if __name__ == "__main__":
    main()

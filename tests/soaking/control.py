"""A control: how fast this machine is just now, told by an echo through the broker that knows nothing of dragonfly, and
by how busy its processors are.

What is late while the control is late, too, or while no processor has a moment left, is no fault of what is tested.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import pika

_PAUSE = 0.1
_REMEMBERED = 5_000
_STAT = Path("/proc/stat")
# How often the processors are looked at, s, and from which share on they are too busy.
_LOOK = 0.5
_FULL = 0.95
# An echo that takes longer, s, says that the machine is slow.
_SLOW = 1.0


class Control:
    """Sends a message to itself, again and again, on a thread of its own.

    Args:
        url: the broker's AMQP URL.
    """

    def __init__(self, url: str) -> None:
        self._parameters = pika.URLParameters(url + "?socket_timeout=2&blocked_connection_timeout=1&heartbeat=5")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # When an echo was due, and how long it took from then, s.
        self._echoes: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        # Times in which the processors were too busy (monotonic, s).
        self._full: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        # All of them together, s.
        self.full_in_all = 0.0
        self._asked = _processor_times()
        self._threads = [
            threading.Thread(target=run, name="control", daemon=True) for run in (self._run, self._watch_processors)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(10.0)

    def first_after(self, moment: float) -> float | None:
        """Return when the first echo came that was sent after a moment (monotonic, s)."""
        with self._lock:
            return next((due + took for due, took in self._echoes if due >= moment), None)

    def slowest(self, since: float, until: float) -> float:
        """Return how long the slowest echo between two moments took, s."""
        with self._lock:
            return max((took for due, took in self._echoes if due + took >= since and due <= until), default=0.0)

    def full_seconds(self, since: float, until: float) -> float:
        """Return how long the processors were too busy between two moments, s."""
        with self._lock:
            shares = [min(end, until) - max(begin, since) for begin, end in self._full]
        return sum(share for share in shares if share > 0)

    def busy_since_asked(self) -> float:
        """Return the share of the processors' time that was used since this was asked before."""
        (total, busy), self._asked = self._asked, _processor_times()
        return (self._asked[1] - busy) / max(1.0, self._asked[0] - total)

    def is_slow(self, since: float, until: float) -> bool:
        """Tell whether the machine was too slow between two moments for what was asked then."""
        return self.slowest(since, until) > _SLOW or self.full_seconds(since, until) > 0.5 * (until - since)

    def _watch_processors(self) -> None:
        before, busy_before, since = *_processor_times(), time.monotonic()
        while not self._stopping.wait(_LOOK):
            total, busy, now = *_processor_times(), time.monotonic()
            if busy - busy_before > _FULL * (total - before):
                with self._lock:
                    self._full.append((since, now))
                    self.full_in_all += now - since
            before, busy_before, since = total, busy, now

    def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(pika.exceptions.AMQPError, OSError):
                self._echo()
            self._stopping.wait(_PAUSE)

    def _echo(self) -> None:
        came = 0
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue

            def take(*_message: object) -> None:
                nonlocal came
                came += 1

            channel.basic_consume(queue, take, auto_ack=True)
            sent = 0
            while not self._stopping.is_set():
                due = time.monotonic() + _PAUSE
                connection.process_data_events(_PAUSE)
                due = min(due, time.monotonic())
                channel.basic_publish("", queue, b"")
                sent += 1
                while came < sent and not self._stopping.is_set():
                    connection.process_data_events(0.5)
                with self._lock:
                    self._echoes.append((due, time.monotonic() - due))


def _processor_times() -> tuple[float, float]:
    """Return how much time the processors had, and how much of it they were busy, in ticks."""
    words = [float(word) for word in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return sum(words), sum(words) - words[3] - words[4]

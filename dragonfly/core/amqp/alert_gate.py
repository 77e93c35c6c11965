"""Which alerts may go out while the bindings of their consumers are on their way back.

A restarted broker has lost the bindings of durable queues. Their consumers make them again within seconds, and until
they have, the broker returns what is sent.

Rules:
1. The gate works for 30 s after a reconnect. It does not after the first connection, before which nobody can have lost
   a binding; and not where no alert may wait.
2. For the first 5 s nothing goes out: so long everybody may take to be back. A key that one queue is bound for is not
   returned, whoever else's binding is still missing, and what goes out then reaches that one alone: a monitor that was
   back first took 120 alerts from a durable queue. Where half of what may wait does, it goes on earlier.
3. A key is proven by the first alert that the broker confirms and has not returned. Until then one alert of the key is
   on its way, its scout, and the others of the key wait behind it. Other keys are not delayed.
4. A returned alert waits again, in its place, and its key is not proven (any more). About every second the oldest that
   waits for a key goes out as its scout, with the same message_id; of many keys, 1,000 at a time, in turn.
5. When a key is proven, all that wait for it go, in the order in which they were made.
6. When the time is over everything goes; what is returned then has nobody who listens.
7. Of too many that wait, the oldest goes.
8. When the channel ends, all that wait are handed back, for the next one.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import islice

from dragonfly.core.amqp.packet import Outcome, Outgoing

WINDOW_SECONDS = 30.0
HOLD_SECONDS = 5.0
RETRY_SECONDS = 1.0
_KEYS_AT_A_TIME = 1_000


class _Line:
    """The alerts of one key that is not proven."""

    __slots__ = ("scout", "waiting")

    def __init__(self, scout: Outgoing | None = None) -> None:
        self.scout = scout
        self.waiting: deque[Outgoing] = deque()


class AlertGate:
    """Holds alerts back, each key by itself, until somebody is known to listen.

    Args:
        limit: how many may wait.
        clock: returns a time that only grows, s.
        on_early: called when so many wait that the first seconds end early; there are scouts then.
    """

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        on_early: Callable[[], None] = lambda: None,
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._on_early = on_early
        self._until = 0.0
        self._held_until = 0.0
        self._proven: set[str] = set()
        self._lines: dict[str, _Line] = {}
        # All that wait, the oldest first.
        self._waiting: OrderedDict[Outgoing, None] = OrderedDict()
        self.is_active = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return self._clock() >= self._until

    def begin(self) -> None:
        """Begin to work, on a connection that came back."""
        self._proven.clear()
        self.is_active = self._limit > 0
        now = self._clock()
        self._until, self._held_until = now + WINDOW_SECONDS, now + HOLD_SECONDS

    def let_go(self) -> None:
        """Hold nothing back any longer but what nobody listens to."""
        self._held_until = 0.0

    def end(self) -> list[Outgoing]:
        """Stop working; return all that wait, in the order in which they were made."""
        self.is_active = False
        return self.take_all()

    def take_all(self) -> list[Outgoing]:
        """Return all that wait, in the order in which they were made, and forget what is on its way."""
        waiting = _in_order(self._waiting)
        self._waiting.clear()
        self._lines.clear()
        return waiting

    def admit(self, alert: Outgoing) -> bool:
        """Tell whether an alert may go out now; otherwise it is kept here."""
        key = alert.routing_key
        if key in self._proven:
            return True
        holds = self._holds
        line = self._lines.get(key)
        if line is None and not holds:
            self._lines[key] = _Line(alert)
            return True
        self._keep(alert, line or self._lines.setdefault(key, _Line()))
        return False

    def confirmed(self, alert: Outgoing) -> list[Outgoing]:
        """Take note that an alert found its queue; return what goes out in consequence."""
        key = alert.routing_key
        self._proven.add(key)
        line = self._lines.pop(key, None)
        if line is None:
            return []
        for waiting in line.waiting:
            del self._waiting[waiting]
        return _in_order(line.waiting)

    def returned(self, alert: Outgoing) -> None:
        """Keep an alert that nobody was bound for."""
        key = alert.routing_key
        self._proven.discard(key)
        line = self._lines.setdefault(key, _Line())
        if line.scout is alert:
            line.scout = None
        self._keep(alert, line)
        if alert in self._waiting:
            self._waiting.move_to_end(alert, last=False)

    def ended(self, alert: Outgoing) -> None:
        """Take note that an alert came to an end without a word about its key."""
        line = self._lines.get(alert.routing_key)
        if line is not None and line.scout is alert:
            line.scout = None
            self._tidy(alert.routing_key, line)

    def due(self) -> list[Outgoing]:
        """Return the scouts of keys whose last one was returned: their time to go out again has come."""
        if self._holds:
            return []
        scouts = []
        for key in list(islice((key for key, line in self._lines.items() if line.scout is None), _KEYS_AT_A_TIME)):
            line = self._lines[key] = self._lines.pop(key)  # to the end: the others have their turn before it
            line.waiting = deque(_in_order(line.waiting))
            line.scout = line.waiting.popleft()
            del self._waiting[line.scout]
            scouts.append(line.scout)
        return scouts

    @property
    def _holds(self) -> bool:
        if self._clock() >= self._held_until:
            return False
        if 2 * len(self._waiting) >= self._limit:
            self.let_go()
            self._on_early()
            return False
        return True

    def _keep(self, alert: Outgoing, line: _Line) -> None:
        if len(self._waiting) >= self._limit:
            self._drop_oldest()
            line = self._lines.setdefault(alert.routing_key, line)
        line.waiting.append(alert)
        self._waiting[alert] = None

    def _drop_oldest(self) -> None:
        oldest, _ = self._waiting.popitem(last=False)
        self.dropped += 1
        line = self._lines[oldest.routing_key]
        line.waiting.remove(oldest)
        oldest.finish(Outcome.LOST, "too many alerts waited for somebody who listens")
        self._tidy(oldest.routing_key, line)

    def _tidy(self, key: str, line: _Line) -> None:
        if line.scout is None and not line.waiting:
            del self._lines[key]


def _in_order(alerts: Iterable[Outgoing]) -> list[Outgoing]:
    return sorted(alerts, key=lambda alert: alert.made)

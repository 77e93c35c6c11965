"""What waits for the broker: bounded in number and in age, in the order in which it was made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

from dragonfly.core.amqp.packet import Outcome, Outgoing

CANCELLED = "nobody waits for it any more"


class Backlog:
    """Messages that wait for the broker.

    Args:
        limit: how many are kept; the oldest goes when one more comes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Outgoing] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, outgoing: Outgoing) -> None:
        """Keep a message; the oldest is dropped where there are too many."""
        self._waiting.append(outgoing)
        self._trim()

    def put_back(self, outgoings: Iterable[Outgoing]) -> None:
        """Keep messages that were sent and not confirmed: before all others, as they are the oldest."""
        self._waiting.extendleft(reversed(list(outgoings)))
        self._trim()

    def take(self) -> Outgoing | None:
        """Return the oldest message that may still be sent, or None."""
        now = time.monotonic()
        while self._waiting:
            outgoing = self._waiting.popleft()
            if outgoing.cancelled:
                outgoing.finish(Outcome.LOST, CANCELLED)
                continue
            if now - outgoing.made <= outgoing.keep:
                return outgoing
            self._drop(outgoing, "it waited too long for the broker")
        return None

    def give_up(self, reason: str) -> None:
        """Drop all that wait."""
        while self._waiting:
            self._drop(self._waiting.popleft(), reason)

    def take_dropped(self) -> int:
        """Return how many were dropped since this was asked last, for who counts them."""
        dropped, self.dropped = self.dropped, 0
        return dropped

    def _trim(self) -> None:
        while len(self._waiting) > self._limit:
            self._drop(self._waiting.popleft(), "too many messages waited for the broker")

    def _drop(self, outgoing: Outgoing, reason: str) -> None:
        self.dropped += 1
        outgoing.finish(Outcome.LOST, reason)

"""How much the queues hold, and what happens when it is too much.

Rules:
1. What waits in queues, delivered but not acknowledged included, counts, and so do messages that are still arriving.
   What is being written to a client does not count: one that does not read may hold about one message more.
2. Above the limit the broker reads no more from whoever publishes, and says so (connection.blocked), until there is
   room again: an eighth below the limit, so that it does not change its mind with every message.
3. Where there is no room after `patience`, one holder gives up all that it has: the client whose queues hold most. Then
   the time begins anew.
"""

from __future__ import annotations

LIMIT = 64 * 1024 * 1024
PATIENCE = 10.0


class Memory:
    """The bytes in all queues.

    Args:
        limit: in bytes.
        patience: how long they may stay above it, s.
    """

    __slots__ = ("_since", "limit", "patience", "used")

    def __init__(self, limit: int = LIMIT, patience: float = PATIENCE) -> None:
        self.limit = limit
        self.patience = patience
        self.used = 0
        self._since: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be read from publishers."""
        return self.used > self.limit

    @property
    def has_room(self) -> bool:
        """Whether publishers that are not read are to be read again."""
        return self.used <= self.limit - self.limit // 8

    def must_shed(self, now: float) -> bool:
        """Return whether somebody has to give up what it holds; to be asked about once a second."""
        if self.has_room:
            self._since = None
        elif self._since is None and self.is_full:
            self._since = now
        if self._since is None:
            return False
        if now - self._since < self.patience:
            return False
        self._since = now
        return True

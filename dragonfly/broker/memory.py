"""How much messages take, and what happens when it is too much.

Rules:
1. A message counts once, in however many queues it waits and to however many clients it is being written, as they
   share one body; what is delivered but not acknowledged counts, and so do messages and frames that are still
   arriving. Each place where a message waits counts a little, and so does every copy: what is written in pieces of its
   own counts until the socket has taken it.
2. Above the limit the broker reads no more from whoever publishes, and says so (connection.blocked), until there is
   room again: an eighth below the limit, so that it does not change its mind with every message.
3. Where there is no room after `patience`, one holder gives up all that it has: the client that holds most, a body that
   it shares with others counted in full. Where that gives nearly nothing back, because others hold the same messages,
   the next one follows at once. Then the time begins anew.
"""

from __future__ import annotations

from dragonfly.broker.message import Message

LIMIT = 64 * 1024 * 1024
PATIENCE = 10.0
# What one place where a message waits takes, roughly, in bytes: an entry in a queue or in a client's output.
PLACE = 150


class Memory:
    """The bytes of all messages, and of what waits to be written.

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
    def margin(self) -> int:
        """How far below the limit there is room, in bytes."""
        return self.limit // 8

    @property
    def has_room(self) -> bool:
        """Whether publishers that are not read are to be read again."""
        return self.used <= self.limit - self.margin

    def hold(self, message: Message) -> None:
        """Count a place where a message waits, and the message itself where it is the first."""
        self.used += PLACE if message.places else PLACE + message.size
        message.places += 1

    def release(self, message: Message) -> None:
        """Count a place no more, and with the last one the message itself."""
        message.places -= 1
        self.used -= PLACE if message.places else PLACE + message.size

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

"""What all channels of one connection share: who the client is, and the way out to it."""

from __future__ import annotations

from collections.abc import Callable

from dragonfly.broker.frames import FRAME_MAX

# A client that does not read what it is sent is sent no more above the first mark, in bytes, until it has come down to
# the second: messages stay in their queues, where their limits hold.
HIGH_MARK, LOW_MARK = 1024 * 1024, 256 * 1024


class Peer:
    """One client.

    Args:
        name: how a log names it.
        on_output: called when there is something to send, and nothing was before.
    """

    __slots__ = (
        "arriving",
        "capabilities",
        "chunks",
        "frame_max",
        "holds_back",
        "is_congested",
        "name",
        "on_output",
        "turn_end",
        "unsent",
        "user",
    )

    def __init__(self, name: str, on_output: Callable[[], None]) -> None:
        self.name = name
        self.on_output = on_output
        self.user = b""
        self.capabilities: frozenset[str] = frozenset()
        self.frame_max = FRAME_MAX
        # Bytes of frames, to be sent in this order.
        self.chunks: list[bytes] = []
        # How many bytes are on their way, those that the socket has not taken yet included.
        self.unsent = 0
        self.is_congested = False
        # Whether it published while the memory was full: it is read from no more until there is room.
        self.holds_back = False
        # Bytes of messages whose end it has not sent yet.
        self.arriving = 0
        # What is to be done once all has been read that the client had sent: confirms, many in one.
        self.turn_end: list[Callable[[], None]] = []

    def write(self, data: bytes) -> None:
        """Send bytes soon."""
        if not self.chunks:
            self.on_output()
        self.chunks.append(data)
        self.unsent += len(data)
        if self.unsent > HIGH_MARK:
            self.is_congested = True

    def sent(self, count: int) -> bool:
        """Note that the socket took some bytes; return whether the client may be sent messages again."""
        self.unsent -= count
        if self.is_congested and self.unsent <= LOW_MARK:
            self.is_congested = False
            return True
        return False

    def finish_turn(self) -> None:
        """Do what was left to the end of the turn."""
        actions, self.turn_end = self.turn_end, []
        for action in actions:
            action()

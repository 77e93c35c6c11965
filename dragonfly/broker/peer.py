"""What all channels of one connection share: who the client is, and the way out to it.

Rules:
1. A client that does not read what it is sent is sent no more messages above `HIGH_MARK`, until it has come down to
   `LOW_MARK`: they stay in their queues, where their limits hold. It is still read and answered.
2. Its answers must end somewhere, too: with `ANSWERS_MARK` bytes of them beyond the high mark it is read no more, until
   it has come down to the low mark.
3. A small message is copied into what is written. A larger one is written from the body that all its receivers share:
   its frames are cut when the socket takes them.
4. All that waits to be written counts in the memory, until the socket has taken it or the client is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dragonfly.broker.frames import FRAME_MIN, BodyFrames, content_frames, header_frame
from dragonfly.broker.memory import Memory
from dragonfly.broker.message import Message

HIGH_MARK, LOW_MARK = 1024 * 1024, 256 * 1024
ANSWERS_MARK = 1024 * 1024
# From this size on, in bytes, a body is shared and not copied.
SHARED_FROM = 16 * 1024
# About how much one call of the operating system is given, in bytes.
BATCH = 256 * 1024


class Shared:
    """The body frames of a message in the output of one client.

    Args:
        message: of which they are.
        frames: not yet cut.
    """

    __slots__ = ("frames", "message")

    def __init__(self, message: Message, frames: BodyFrames) -> None:
        self.message = message
        self.frames = frames

    def __len__(self) -> int:
        return len(self.frames)


class Peer:
    """One client.

    Args:
        name: how a log names it.
        memory: where it counts what waits to be written.
        on_output: called when there is something to send, and nothing was before.
    """

    __slots__ = (
        "_answers",
        "_memory",
        "arriving",
        "asks_too_much",
        "capabilities",
        "frame_max",
        "holds_back",
        "is_congested",
        "name",
        "on_output",
        "output",
        "turn_end",
        "unfinished",
        "unsent",
        "user",
    )

    def __init__(self, name: str, memory: Memory, on_output: Callable[[], None]) -> None:
        self.name = name
        self.on_output = on_output
        self.user = b""
        self.capabilities: frozenset[str] = frozenset()
        # The least that all must take, until the client has said how much it takes.
        self.frame_max = FRAME_MIN
        # How many bytes are on their way, those that the socket has not taken yet included.
        self.unsent = 0
        self.is_congested = False
        # Whether more answers wait than it may leave unread.
        self.asks_too_much = False
        # Whether it published while the memory was full: it is read from no more until there is room.
        self.holds_back = False
        # Bytes of messages and frames whose end it has not sent yet.
        self.arriving = 0
        # What is to be done once all has been read that the client had sent: confirms, many in one.
        self.turn_end: list[Callable[[], None]] = []
        # Whole frames that `take` has not yet given out, in this order.
        self.output: deque[bytes | Shared] = deque()
        # Bytes of a frame whose end has not come.
        self.unfinished = 0
        self._memory = memory
        # Bytes written since it became congested: no messages, so answers.
        self._answers = 0

    def write(self, data: bytes) -> None:
        """Send bytes soon."""
        size = len(data)
        self._memory.used += size
        self._append(data, size)

    def write_message(self, method: tuple[bytes, ...], channel: int, message: Message) -> None:
        """Send a message soon.

        Args:
            method: the pieces of the frame before it.
            channel: the number of the channel.
            message: its header and body follow.
        """
        body = message.body
        if len(body) < SHARED_FROM:
            self.write(b"".join((*method, *content_frames(channel, message.header, body, self.frame_max))))
            return
        self.write(b"".join((*method, header_frame(channel, message.header))))
        shared = Shared(message, BodyFrames(channel, body, self.frame_max))
        self._memory.hold(message)
        self._append(shared, len(shared))

    def take(self) -> bytes:
        """Return what is to be sent next, whole frames, about `BATCH` bytes; to be called when all before is sent."""
        output = self.output
        pieces: list[bytes | memoryview] = []
        size = 0
        while output and size < BATCH:
            first = output[0]
            if isinstance(first, Shared):
                size += self._cut(first, pieces)
            else:
                pieces.append(first)
                size += len(first)
                output.popleft()
        return b"".join(pieces)

    def sent(self, count: int) -> bool:
        """Note that the socket took some bytes; return whether the client may be sent messages again."""
        self.unsent -= count
        self._memory.used -= count
        if self.is_congested and self.unsent <= LOW_MARK:
            self.is_congested = self.asks_too_much = False
            self._answers = 0
            return True
        return False

    def drop_output(self) -> None:
        """Let go of all that `take` has not yet given out."""
        for waiting in self.output:
            self.unsent -= len(waiting)
            if isinstance(waiting, Shared):
                self._memory.release(waiting.message)
            else:
                self._memory.used -= len(waiting)
        self.output.clear()
        self._answers = 0
        self.asks_too_much = False

    def gone(self) -> None:
        """Let go of all that is not sent, in both directions: the client is no longer there."""
        self.drop_output()
        self._memory.used -= self.unsent
        self.unsent = 0
        self.count_arriving(-self.arriving)
        self.unfinished = 0

    def count_arriving(self, count: int) -> None:
        """Count bytes that are kept until the rest of their message or frame has come; fewer than 0 are done with."""
        self.arriving += count
        self._memory.used += count

    def note_unfinished(self, size: int) -> None:
        """Count the bytes of the frame that has not come to its end; 0 for none."""
        self.count_arriving(size - self.unfinished)
        self.unfinished = size
        # A smaller one may be an acknowledgement, which makes room.
        if size > FRAME_MIN and self._memory.is_full:
            self.holds_back = True

    def finish_turn(self) -> None:
        """Do what was left to the end of the turn."""
        actions, self.turn_end = self.turn_end, []
        for action in actions:
            action()

    def _append(self, data: bytes | Shared, size: int) -> None:
        if not self.output:
            self.on_output()
        self.output.append(data)
        self.unsent += size
        if self.is_congested:
            self._answers += size
            self.asks_too_much = self._answers > ANSWERS_MARK
        elif self.unsent > HIGH_MARK:
            self.is_congested = True

    def _cut(self, shared: Shared, pieces: list[bytes | memoryview]) -> int:
        """Copy the next frame of a shared body into a list of pieces; return its size."""
        frame = shared.frames.cut()
        pieces += frame
        size = sum(map(len, frame))
        self._memory.used += size
        if not shared.frames:
            self.output.popleft()
            self._memory.release(shared.message)
        return size

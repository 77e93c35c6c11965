"""A request that waits for its reply."""

from __future__ import annotations

from collections.abc import Callable

from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.exceptions import DriplineError
from dragonfly.core.message import ReplyMessage


class Pending:
    """A request that was sent and has not ended.

    Args:
        on_reply: called with each reply or the error that ended the request, on the I/O thread.
        many: whether more than one reply is expected.
    """

    __slots__ = ("correlation_id", "many", "on_reply", "outgoing", "routing_key")

    def __init__(self, on_reply: Callable[[ReplyMessage | DriplineError], None], *, many: bool = False) -> None:
        self.correlation_id = ""  # it has one when it is sent
        self.on_reply = on_reply
        self.many = many
        self.routing_key = ""
        self.outgoing: Outgoing | None = None

    @property
    def was_sent(self) -> bool:
        """Whether the request was given to the broker's connection."""
        return self.outgoing is not None and self.outgoing.attempts > 0

    def cancel(self) -> None:
        """Have the request not sent any more: nobody waits for it."""
        if self.outgoing is not None:
            self.outgoing.cancelled = True

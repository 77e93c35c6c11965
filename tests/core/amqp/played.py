"""A connection that a test plays, and what a publisher says on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika.spec import BasicProperties

from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.frames import Confirm
from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.amqp.publisher import Publisher

OVER = 31.0


class PlayedChannel:
    """A channel that writes down what is published on it."""

    is_open = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, str]] = []
        self.mandatory: set[bool] = set()
        self.answered = 0
        # What was asked for as a mark, and after how many messages.
        self.marks: list[tuple[int, Callable[[Any], None]]] = []
        self.confirm: Callable[[Confirm], None] = lambda confirm: None

    def add_on_close_callback(self, action: Callable[[Any, Any], None]) -> None:
        self.close = action

    def add_on_return_callback(self, action: Callable[..., None]) -> None:
        self.give_back = action

    def basic_qos(self, callback: Callable[[Any], None]) -> None:
        self.marks.append((len(self.sent), callback))

    def publish(self, outgoing: Outgoing) -> None:
        self.sent.append((outgoing.routing_key, outgoing.body, outgoing.message_id or ""))
        self.mandatory.add(outgoing.mandatory)

    def answer(self, *unheard: str) -> None:
        """Confirm all that was published meanwhile, and return first what has one of these keys."""
        while self.answered < len(self.sent):
            key, body, message_id = self.sent[self.answered]
            self.answered += 1
            if key in unheard:
                self.give_back(self, None, BasicProperties(message_id=message_id), body)
            self.tell(self.answered)

    def tell(self, tag: int, *, multiple: bool = False, accepted: bool = True) -> None:
        self.confirm(Confirm(1, tag, multiple, accepted))


class PlayedConnection:
    """A connection, a declarer, and a clock, as far as a publisher looks at them."""

    is_ready = True

    def __init__(self) -> None:
        self.is_up = False
        self.reconnects = 0
        self.on_up: list[Callable[[], None]] = []
        self.on_down: list[Callable[[ConnectionFailure], None]] = []
        self.on_unblocked: list[Callable[[], None]] = []
        self.blocked: str | None = None
        self.on_ready: list[Callable[[], None]] = []
        self.channel = PlayedChannel()
        self.timer: Callable[[], None] | None = None
        self.now = 0.0

    def open_channel(self, then: Callable[[Any], None]) -> None:
        self.channel = PlayedChannel()
        then(self.channel)

    def confirm(self, channel: PlayedChannel, action: Callable[[Confirm], None]) -> None:
        channel.confirm = action

    def publish(self, channel: PlayedChannel, outgoing: Outgoing) -> None:
        channel.publish(outgoing)

    def together(self, action: Callable[[], None]) -> None:
        action()

    def call(self, action: Callable[[], None]) -> None:
        action()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        self.timer = action

        def forget() -> None:
            self.timer = None

        return forget

    def declare_exchanges(self) -> None:
        """Do what a declarer does: nothing here."""

    def come_up(self) -> PlayedChannel:
        self.is_up = True
        for action in self.on_up:
            action()
        self.reconnects += 1
        return self.channel

    def go_down(self, final: bool = False) -> None:
        self.is_up = False
        for action in self.on_down:
            action(ConnectionFailure("it is gone", final=final))

    def block(self) -> None:
        self.blocked = "low on memory"

    def unblock(self) -> None:
        self.blocked = None
        for action in self.on_unblocked:
            action()

    def second(self) -> None:
        """Let a second pass."""
        self.now += 1.0
        timer, self.timer = self.timer, None
        if timer is not None:
            timer()


def say(publisher: Publisher, key: str, body: str, **changes: Any) -> Outgoing:
    fields = {"message_id": f"id of {key} {body}", "mandatory": True, "keep": 60.0, "resend": True, **changes}
    outgoing = Outgoing("alerts", key, body.encode(), **fields)
    publisher.submit(outgoing)
    return outgoing


def bodies(channel: PlayedChannel, key: str = "k") -> str:
    return "".join(body.decode() for sent, body, _ in channel.sent if sent == key)


def numbers(publisher: Publisher) -> tuple[int, int, int]:
    return publisher.tally.sent, publisher.tally.kept, publisher.tally.dropped

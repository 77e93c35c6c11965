"""A connection that a test plays, and what a publisher says on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika.spec import Basic, BasicProperties

from dragonfly.core.amqp.failure import ConnectionFailure
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

    def add_on_close_callback(self, action: Callable[[Any, Any], None]) -> None:
        self.close = action

    def add_on_return_callback(self, action: Callable[..., None]) -> None:
        self.give_back = action

    def confirm_delivery(self, action: Callable[[Any], None]) -> None:
        self.confirm = action

    def basic_publish(self, exchange: str, key: str, body: bytes, properties: Any, mandatory: bool) -> None:
        self.sent.append((key, body, properties.message_id))
        self.mandatory.add(mandatory)

    def answer(self, *unheard: str) -> None:
        """Confirm all that was published meanwhile, and return first what has one of these keys."""
        while self.answered < len(self.sent):
            key, body, message_id = self.sent[self.answered]
            self.answered += 1
            if key in unheard:
                self.give_back(self, None, BasicProperties(message_id=message_id), body)
            self.tell(Basic.Ack(self.answered))

    def tell(self, method: Any) -> None:
        frame = type("Frame", (), {"method": method})()
        self.confirm(frame)


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

    def on_confirm(self, channel: PlayedChannel, action: Callable[[Any], None]) -> None:
        """Do what a connection does besides the channel: nothing here."""

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

"""The channel that publishes and declares.

Rules:
1. Every message is confirmed by the broker or its end is told: `Outgoing.done` is called once with the outcome.
2. A mandatory message that nobody is bound for comes back before its confirm; it is told when the confirm comes.
3. A publish that the broker refuses (403, 404, 406) closes the channel, and the broker discards what follows it there.
   Only that message fails: what was before it stands, what was after it is published once more on the next channel.
4. Both exchanges are declared on each new channel; where that is forbidden or they exist with other flags, passively.
5. While there is no channel, a message waits as long as its `keep` says.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import pika

from dragonfly.core.amqp.backlog import Backlog
from dragonfly.core.amqp.connection import Connection, ConnectionFailure
from dragonfly.core.amqp.packet import Outcome, Outgoing
from dragonfly.core.constants import APP_ID, CONTENT_ENCODING, EXCHANGES

logger = logging.getLogger(__name__)

DEFAULT_BACKLOG = 10_000
_REFUSED_DECLARE = (403, 406)
# How long a message may wait for its turn behind others although there is a connection, s.
_TURN = 1.0

SetUp = Callable[[Any], None]
Refused = Callable[[int, str], None]


class Publisher:
    """Publishes messages and declares queues on one channel, opened again whenever it was closed.

    Args:
        connection: the connection; the publisher follows its ups and downs.
        backlog: how many messages are kept while there is no connection.
    """

    def __init__(self, connection: Connection, backlog: int = DEFAULT_BACKLOG) -> None:
        self._connection = connection
        self._backlog = Backlog(backlog)
        self._channel: Any = None
        self._passive = False
        self._declared = False
        self._next_tag = 1
        self._unconfirmed: dict[int, Outgoing] = {}
        self._returnable: dict[str, Outgoing] = {}
        self._announced = False
        self._setups: list[Refused] = []
        self._waiting_setups: list[tuple[SetUp, Refused]] = []
        self._outbox: deque[Outgoing] = deque()
        self._flush_scheduled = False
        # Called on the first channel of each connection, and where the broker refuses even the exchanges.
        self.on_ready: list[Callable[[], None]] = []
        self.on_refused: list[Callable[[str], None]] = []
        connection.on_up.append(self._open)
        connection.on_down.append(self._lost)

    @property
    def is_ready(self) -> bool:
        """Whether a message would go out at once."""
        return self._channel is not None and bool(self._channel.is_open)

    @property
    def unfinished(self) -> int:
        """How many messages the broker has not yet confirmed, or not yet been given."""
        return len(self._unconfirmed) + len(self._outbox) + len(self._backlog)

    @property
    def kept(self) -> int:
        """How many messages wait for a connection."""
        return len(self._backlog)

    @property
    def dropped(self) -> int:
        """How many messages were given up because they waited too long, or too many did."""
        return self._backlog.dropped

    def submit(self, outgoing: Outgoing) -> None:
        """Publish a message soon; any thread. What several threads submit goes out in one burst."""
        self._outbox.append(outgoing)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._connection.call(self._flush)

    def publish(self, outgoing: Outgoing) -> None:
        """Publish a message, or keep it, or tell that it cannot be sent; I/O thread."""
        if self.is_ready and not len(self._backlog):
            self._publish(outgoing)
        elif self._connection.is_up or outgoing.keep:
            outgoing.keep = max(outgoing.keep, _TURN)
            self._backlog.add(outgoing)
        else:
            outgoing.finish(Outcome.LOST, "there is no connection to the broker")

    def set_up(self, action: SetUp, on_refused: Refused) -> Callable[[], None]:
        """Declare something on this channel, or on the next one where it is closed; I/O thread.

        Args:
            action: gets the channel and declares.
            on_refused: gets code and text where the broker closes the channel meanwhile.

        Returns:
            What to call when the declaring is done.
        """
        if self.is_ready:
            self._setups.append(on_refused)
            action(self._channel)
        else:
            self._waiting_setups.append((action, on_refused))

        def done() -> None:
            if on_refused in self._setups:
                self._setups.remove(on_refused)

        return done

    def declare_exchanges(self, channel: Any, callback: Callable[[Any], None] | None = None) -> None:
        """Declare both exchanges; I/O thread."""
        for exchange in EXCHANGES[:-1]:
            channel.exchange_declare(exchange, "topic", passive=self._passive)
        channel.exchange_declare(EXCHANGES[-1], "topic", passive=self._passive, callback=callback)

    def _flush(self) -> None:
        # Lowered first: who appends from now on raises it again, and nothing is left behind.
        self._flush_scheduled = False
        while self._outbox:
            self.publish(self._outbox.popleft())

    def _open(self) -> None:
        self._connection.open_channel(self._on_open)

    def _on_open(self, channel: Any) -> None:
        self._channel = channel
        self._next_tag = 1
        self._declared = False
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm)
        self.declare_exchanges(channel, self._on_declared)
        waiting, self._waiting_setups = self._waiting_setups, []
        for action, on_refused in waiting:
            self.set_up(action, on_refused)
        if not self._announced:
            self._announced = True
            for tell in list(self.on_ready):
                tell()

    def _on_declared(self, _frame: Any) -> None:
        self._declared = True
        while self.is_ready:
            outgoing = self._backlog.take()
            if outgoing is None:
                return
            self._publish(outgoing)

    def _publish(self, outgoing: Outgoing) -> None:
        self._unconfirmed[self._next_tag] = outgoing
        self._next_tag += 1
        if outgoing.mandatory and outgoing.tag:
            self._returnable[outgoing.tag] = outgoing
        properties = pika.BasicProperties(
            content_encoding=CONTENT_ENCODING,
            headers=outgoing.headers,
            delivery_mode=2 if outgoing.persistent else None,
            correlation_id=outgoing.correlation_id,
            reply_to=outgoing.reply_to,
            expiration=None if outgoing.expiration is None else str(outgoing.expiration),
            message_id=outgoing.message_id,
            app_id=APP_ID,
        )
        self._channel.basic_publish(
            outgoing.exchange, outgoing.routing_key, outgoing.body, properties, outgoing.mandatory
        )

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        outgoing = self._returnable.get(properties.message_id or properties.correlation_id)
        if outgoing is not None:
            outgoing.returned = True

    def _on_confirm(self, frame: Any) -> None:
        tag, multiple = frame.method.delivery_tag, frame.method.multiple
        accepted = frame.method.NAME == "Basic.Ack"
        if not multiple:
            tags = [tag] if tag in self._unconfirmed else []
        else:
            tags = []
            for earlier in self._unconfirmed:  # in the order of publishing
                if earlier > tag:
                    break
                tags.append(earlier)
        for number in tags:
            self._confirmed(self._unconfirmed.pop(number), accepted)

    def _confirmed(self, outgoing: Outgoing, accepted: bool) -> None:
        if outgoing.mandatory:
            self._returnable.pop(outgoing.tag or "", None)
        if not accepted:
            outgoing.finish(Outcome.REFUSED, "the broker could not take the message")
        elif outgoing.returned:
            outgoing.finish(Outcome.RETURNED)
        else:
            outgoing.finish(Outcome.CONFIRMED)

    def _on_closed(self, channel: Any, reason: Any) -> None:
        if channel is not self._channel or not self._connection.is_up:
            return  # the connection went with it: `_lost` takes care
        code, text = getattr(reason, "reply_code", 0), getattr(reason, "reply_text", str(reason))
        self._channel = None
        if not self._declared and not self._passive and code in _REFUSED_DECLARE:
            self._passive = True
            self._announced = False
            self._setups.clear()
            self._open()
        elif not self._declared:
            self._passive = False
            self._tell_refused(code, text)
        else:
            self._tell_setups(code, text)
            self._refuse_one(text)
            self._open()

    def _tell_refused(self, code: int, text: str) -> None:
        """Leave it at that: without the exchanges there is nothing to publish to."""
        self._retry(self._unconfirmed.values(), text)
        self._unconfirmed.clear()
        if not self._tell_setups(code, text):
            for action in list(self.on_refused):
                action(text)

    def _tell_setups(self, code: int, text: str) -> bool:
        setups, self._setups = self._setups, []
        for on_refused in setups:
            on_refused(code, text)
        return bool(setups)

    def _refuse_one(self, text: str) -> None:
        """Fail the message that closed the channel, and publish again what the broker discarded after it."""
        in_flight = list(self._unconfirmed.values())
        self._unconfirmed.clear()
        self._returnable.clear()
        culprit = next((index for index, outgoing in enumerate(in_flight) if _is_named(outgoing, text)), None)
        if culprit is None:
            self._retry(in_flight)
            return
        for earlier in in_flight[:culprit]:
            earlier.finish(Outcome.RETURNED if earlier.returned else Outcome.CONFIRMED)
        logger.error("the broker refused %s: %s", in_flight[culprit].routing_key, text)
        in_flight[culprit].finish(Outcome.REFUSED, text)
        # They never reached a queue, so nothing runs twice.
        for later in in_flight[culprit + 1 :]:
            later.returned = False
            later.keep = max(later.keep, _TURN)
        self._backlog.put_back(in_flight[culprit + 1 :])

    def _lost(self, failure: ConnectionFailure) -> None:
        self._channel = None
        self._announced = False
        self._setups.clear()
        self._waiting_setups.clear()
        in_flight = list(self._unconfirmed.values())
        self._unconfirmed.clear()
        self._returnable.clear()
        self._retry(in_flight, failure.text)

    def _retry(self, in_flight: Iterable[Outgoing], reason: str = "the channel to the broker was closed") -> None:
        again = []
        for outgoing in in_flight:
            if outgoing.resend:
                again.append(outgoing)
            else:
                outgoing.finish(Outcome.LOST, reason)
        self._backlog.put_back(again)


def _is_named(outgoing: Outgoing, text: str) -> bool:
    """Tell whether the broker's text means this message: it names the topic, or else the exchange."""
    if "topic '" in text:
        return f"topic '{outgoing.routing_key}' in exchange '{outgoing.exchange}'" in text
    return f"exchange '{outgoing.exchange}'" in text

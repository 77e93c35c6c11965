"""The channel that publishes.

Rules:
1. Every message is confirmed by the broker or its end is told: `Outgoing.done` is called once with the outcome.
2. A mandatory message that nobody is bound for comes back before its confirm; it is told when the confirm comes.
3. A publish that the broker refuses (403, 404, 406) closes the channel, and the broker discards what follows it there.
   Only that message fails: what was before it stands, what was after it is published once more on the next channel.
   Where the broker's text does not tell which one it was, all that were in flight end as when the connection is lost.
4. While there is no channel, a message waits as long as its `keep` says: alerts apart from all others, since their
   number is bounded by the service's own key.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterable
from typing import Any

import pika

from dragonfly.core.amqp.backlog import Backlog
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Outcome, Outgoing
from dragonfly.core.constants import APP_ID, CONTENT_ENCODING

logger = logging.getLogger(__name__)

DEFAULT_BACKLOG = 10_000
# How often an alert goes out at most: a message that ends its channel each time must not do so for ever.
MAX_ATTEMPTS = 5
# How long a message may wait for its turn behind others although there is a connection, s.
_TURN = 1.0
_NO_EXCHANGE = 404
_SIZE = re.compile(r"message size (\d+)")


class Publisher:
    """Publishes messages on a channel of its own, opened again whenever it was closed.

    Args:
        connection: the connection; the publisher follows its ups and downs.
        declarer: makes the exchanges.
        alert_backlog: how many alerts are kept while there is no connection.
    """

    def __init__(self, connection: Connection, declarer: Declarer, alert_backlog: int = DEFAULT_BACKLOG) -> None:
        self._connection = connection
        self._declarer = declarer
        self._alerts = Backlog(alert_backlog)
        self._others = Backlog(DEFAULT_BACKLOG)
        self._channel: Any = None
        self._next_tag = 1
        self._unconfirmed: dict[int, Outgoing] = {}
        self._returnable: dict[str, Outgoing] = {}
        self._outbox: deque[Outgoing] = deque()
        self._flush_scheduled = False
        connection.on_up.append(self._open)
        connection.on_down.append(self._lost)
        declarer.on_ready.append(self._send_kept)

    @property
    def unfinished(self) -> int:
        """How many messages the broker has not yet confirmed, or not yet been given."""
        return len(self._unconfirmed) + len(self._outbox) + len(self._alerts) + len(self._others)

    @property
    def dropped(self) -> int:
        """How many alerts were given up because they waited too long, or too many did."""
        return self._alerts.dropped

    def submit(self, outgoing: Outgoing) -> None:
        """Publish a message soon; any thread. What several threads submit goes out in one burst."""
        self._outbox.append(outgoing)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._connection.call(self._flush)

    def publish(self, outgoing: Outgoing) -> None:
        """Publish a message, or keep it, or tell that it cannot be sent; I/O thread."""
        backlog = self._backlog_of(outgoing)
        if self._can_send() and not len(backlog):
            self._publish(outgoing)
        elif self._connection.is_up or outgoing.keep:
            outgoing.keep = max(outgoing.keep, _TURN)
            backlog.add(outgoing)
        else:
            outgoing.finish(Outcome.LOST, "there is no connection to the broker")

    def _can_send(self) -> bool:
        return self._channel is not None and bool(self._channel.is_open) and self._declarer.is_ready

    def _backlog_of(self, outgoing: Outgoing) -> Backlog:
        return self._alerts if outgoing.resend else self._others

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
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm)
        self._send_kept()

    def _send_kept(self) -> None:
        for backlog in (self._others, self._alerts):
            while self._can_send():
                outgoing = backlog.take()
                if outgoing is None:
                    break
                self._publish(outgoing)

    def _publish(self, outgoing: Outgoing) -> None:
        self._unconfirmed[self._next_tag] = outgoing
        self._next_tag += 1
        outgoing.attempts += 1
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
        self._channel = None
        code, text = getattr(reason, "reply_code", 0), getattr(reason, "reply_text", str(reason))
        self._fail_one(text)
        if code == _NO_EXCHANGE:
            self._declarer.declare_exchanges()
        self._open()

    def _fail_one(self, text: str) -> None:
        """Fail the message that closed the channel, and publish again what the broker discarded after it."""
        in_flight = self._take_unconfirmed()
        culprit = next((index for index, outgoing in enumerate(in_flight) if _is_meant(outgoing, text)), None)
        if culprit is None:
            self._retry(in_flight, f"the broker closed the channel: {text}")
            return
        for earlier in in_flight[:culprit]:
            earlier.finish(Outcome.RETURNED if earlier.returned else Outcome.CONFIRMED)
        logger.error("the broker refused %s: %s", in_flight[culprit].routing_key, text)
        in_flight[culprit].finish(Outcome.REFUSED, text)
        # What follows never reached a queue, so nothing runs twice.
        for later in reversed(in_flight[culprit + 1 :]):
            later.returned = False
            later.keep = max(later.keep, _TURN)
            self._backlog_of(later).put_back([later])

    def _lost(self, failure: ConnectionFailure) -> None:
        self._channel = None
        self._retry(self._take_unconfirmed(), failure.text)
        if failure.final:
            self._outbox.clear()

    def _take_unconfirmed(self) -> list[Outgoing]:
        in_flight = list(self._unconfirmed.values())
        self._unconfirmed.clear()
        self._returnable.clear()
        return in_flight

    def _retry(self, in_flight: Iterable[Outgoing], reason: str) -> None:
        again = []
        for outgoing in in_flight:
            if outgoing.resend and outgoing.attempts < MAX_ATTEMPTS:
                again.append(outgoing)
            else:
                outgoing.finish(Outcome.LOST, reason)
        self._alerts.put_back(again)


def _is_meant(outgoing: Outgoing, text: str) -> bool:
    """Tell whether the broker's text means this message: it names its size, its topic, or else its exchange."""
    size = _SIZE.search(text)
    if size:
        return len(outgoing.body) == int(size[1])
    if "topic '" in text:
        return f"topic '{outgoing.routing_key}' in exchange '{outgoing.exchange}'" in text
    return f"exchange '{outgoing.exchange}'" in text

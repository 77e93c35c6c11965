"""The channel that publishes.

Rules:
1. Every message is confirmed by the broker or its end is told: `Outgoing.done` is called once with the outcome.
2. A mandatory message that nobody is bound for comes back before its confirm; it is told when the confirm comes.
3. A publish that the broker refuses (403, 404, 406) closes the channel, and the broker discards what follows it there.
   Only that message fails: what was before it stands, what was after it is published once more on the next channel.
   Where the broker's text does not tell which one it was, all that were in flight end as when the connection is lost.
4. While there is no channel, or the broker takes no messages, a message waits as long as its `keep` says: alerts apart
   from all others, since their number is bounded by the service's own key.
5. A returned alert had nobody who listens, which is no error; only after a reconnect it is sent again (alert_gate.py).
6. How many alerts were given up is said once an outage: when it is over for the alert gate, too, or at the end.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

import pika

from dragonfly.core.amqp.alert_gate import RETRY_SECONDS, AlertGate
from dragonfly.core.amqp.alert_tally import AlertTally
from dragonfly.core.amqp.backlog import CANCELLED, Backlog
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Outcome, Outgoing
from dragonfly.core.amqp.refusal import is_meant, names_one, words_of
from dragonfly.core.constants import APP_ID, CONTENT_ENCODING

logger = logging.getLogger(__name__)

DEFAULT_BACKLOG = 10_000
# How often an alert goes out at most: a message that ends its channel each time must not do so for ever.
MAX_ATTEMPTS = 5
# How long a message may wait for its turn behind others although there is a connection, s.
_TURN = 1.0
_NO_EXCHANGE = 404


class Publisher:
    """Publishes messages on a channel of its own, opened again whenever it was closed.

    Args:
        connection: the connection; the publisher follows its ups and downs.
        declarer: makes the exchanges.
        alert_backlog: how many alerts are kept while there is no connection, or nobody yet who listens again.
    """

    def __init__(self, connection: Connection, declarer: Declarer, alert_backlog: int = DEFAULT_BACKLOG) -> None:
        self._connection = connection
        self._declarer = declarer
        self._alerts = Backlog(alert_backlog)
        self._gate = AlertGate(alert_backlog, on_early=lambda: connection.call(self.let_go))
        self._forget_watch: Callable[[], None] = lambda: None
        # What became of alerts, in numbers.
        self.tally = AlertTally(self._alerts, self._gate)
        self._others = Backlog(DEFAULT_BACKLOG)
        self._channel: Any = None
        self._next_tag = 1
        self._unconfirmed: dict[int, Outgoing] = {}
        self._returnable: dict[str, Outgoing] = {}
        self._outbox: deque[Outgoing] = deque()
        self._flush_scheduled = False
        connection.on_up.append(self._came_up)
        connection.on_down.append(self._lost)
        connection.on_unblocked.append(self._send_kept)
        declarer.on_ready.append(self._send_kept)

    @property
    def unfinished(self) -> int:
        """How many messages the broker has not yet confirmed, or not yet been given."""
        return len(self._unconfirmed) + len(self._outbox) + self.tally.kept + len(self._others)

    def submit(self, outgoing: Outgoing) -> None:
        """Publish a message soon; any thread. What several threads submit goes out in one burst."""
        self._outbox.append(outgoing)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._connection.call(self._flush)

    def publish(self, outgoing: Outgoing) -> None:
        """Publish a message, or keep it, or tell that it cannot be sent; I/O thread."""
        backlog = self._backlog_of(outgoing)
        if outgoing.cancelled:
            outgoing.finish(Outcome.LOST, CANCELLED)
        elif self._can_send() and not len(backlog):
            self._send(outgoing)
        elif self._connection.is_up or outgoing.keep:
            outgoing.may_wait(_TURN)
            backlog.add(outgoing)
        else:
            self.tally.lost += outgoing.resend
            outgoing.finish(Outcome.LOST, "there is no connection to the broker")

    def _can_send(self) -> bool:
        # What is published in spite of an alarm stays in pika's buffer, which has no bound.
        is_open = self._channel is not None and bool(self._channel.is_open) and self._connection.blocked is None
        return is_open and self._declarer.is_ready

    def _backlog_of(self, outgoing: Outgoing) -> Backlog:
        return self._alerts if outgoing.resend else self._others

    def _flush(self) -> None:
        # Lowered first: who appends from now on raises it again, and nothing is left behind.
        self._flush_scheduled = False
        self._connection.together(self._publish_all)

    def _publish_all(self) -> None:
        while self._outbox:
            self.publish(self._outbox.popleft())

    def _open(self) -> None:
        self._connection.open_channel(self._on_open)

    def _came_up(self) -> None:
        if self._connection.reconnects:
            self._gate.begin()
            self._watch_later()
        self._open()

    def _on_open(self, channel: Any) -> None:
        self._channel = channel
        self._next_tag = 1
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm)
        self._connection.on_confirm(channel, self._on_confirm)
        self._send_kept()

    def _send_kept(self) -> None:
        for backlog in (self._others, self._alerts):
            while self._can_send():
                outgoing = backlog.take()
                if outgoing is None:
                    break
                self._send(outgoing)
        if self._can_send() and not self._gate.is_active:
            self.tally.tell_lost()

    def _send(self, outgoing: Outgoing) -> None:
        if not (self._gate.is_active and outgoing.resend) or self._gate.admit(outgoing):
            self._publish(outgoing)

    def let_go(self) -> None:
        """Wait for nobody who listens to come back: this is the end; I/O thread."""
        self._gate.let_go()
        if self._gate.is_active:
            self._watch()

    def _watch_later(self) -> None:
        self._forget_watch()
        self._forget_watch = self._connection.call_later(RETRY_SECONDS, self._watch)

    def _watch(self) -> None:
        """Look after the alerts that were returned; every second while the gate is active."""
        if self._gate.is_over:
            self._send_all(self._gate.end())
            self.tally.tell_lost()
            return
        if self._can_send():
            for scout in self._gate.due():
                self._publish(scout)
        self._watch_later()

    def _send_all(self, alerts: list[Outgoing]) -> None:
        if self._can_send():
            for alert in alerts:
                self._publish(alert)
        else:
            self._alerts.put_back(alerts)

    def _publish(self, outgoing: Outgoing) -> None:
        self._unconfirmed[self._next_tag] = outgoing
        self._next_tag += 1
        outgoing.attempts += 1
        outgoing.returned = False
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
            tags = list(takewhile(lambda earlier: earlier <= tag, self._unconfirmed))  # in the order of publishing
        for number in tags:
            self._confirmed(self._unconfirmed.pop(number), accepted)

    def _confirmed(self, outgoing: Outgoing, accepted: bool) -> None:
        if outgoing.mandatory:
            self._returnable.pop(outgoing.tag or "", None)
        if not accepted:
            self._refused(outgoing, "the broker could not take the message")
        elif outgoing.resend:
            self._alert_confirmed(outgoing)
        else:
            outgoing.finish(Outcome.RETURNED if outgoing.returned else Outcome.CONFIRMED)

    def _alert_confirmed(self, alert: Outgoing) -> None:
        if self._gate.is_active:
            if alert.returned:
                alert.attempts = 0  # it did no harm to its channel
                self._gate.returned(alert)
                return
            self._send_all(self._gate.confirmed(alert))
        self.tally.sent += 1
        alert.finish(Outcome.RETURNED if alert.returned else Outcome.CONFIRMED)

    def _refused(self, outgoing: Outgoing, text: str) -> None:
        if outgoing.resend:
            self.tally.refused += 1
            self._gate.ended(outgoing)
            # Of a request or a reply, whoever sent it is told.
            logger.error("the broker refused %s: %s", outgoing.routing_key, text)
        outgoing.finish(Outcome.REFUSED, text)

    def _on_closed(self, channel: Any, reason: Any) -> None:
        if channel is not self._channel or not self._connection.is_up:
            return  # the connection went with it: `_lost` takes care
        self._channel = None
        code, text = getattr(reason, "reply_code", 0), words_of(reason)
        self._fail_one(text)
        if code == _NO_EXCHANGE:
            self._declarer.declare_exchanges()
        self._open()

    def _fail_one(self, text: str) -> None:
        """Fail the message that closed the channel, and publish again what the broker discarded after it."""
        self._alerts.put_back(self._gate.take_all())
        in_flight = self._take_unconfirmed()
        meant = [index for index, outgoing in enumerate(in_flight) if is_meant(outgoing, text)]
        if not (len(meant) == 1 or (meant and names_one(text))):  # nobody can tell which, nor what became of the others
            self._retry(in_flight, f"the broker closed the channel: {text}")
            return
        for earlier in in_flight[: meant[0]]:
            self._confirmed(earlier, True)
        self._refused(in_flight[meant[0]], text)
        # What follows never reached a queue, so nothing runs twice.
        for later in reversed(in_flight[meant[0] + 1 :]):
            later.returned = False
            later.may_wait(_TURN)  # anew: many may be refused, one after the other
            self._backlog_of(later).put_back([later])

    def _lost(self, failure: ConnectionFailure) -> None:
        self._channel = None
        self._forget_watch()
        waiting = self._gate.end()
        if failure.final:  # nobody listened to the very end to what was returned
            self.tally.lost += sum(not alert.returned for alert in waiting)
        else:
            self._alerts.put_back(waiting)
        self._retry(self._take_unconfirmed(), failure.text)
        if failure.final:
            self._give_up()

    def _give_up(self) -> None:
        self.tally.lost += sum(outgoing.resend for outgoing in self._outbox)
        self._outbox.clear()
        self._alerts.give_up("the connection was closed")
        self.tally.tell_lost()

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
                self.tally.lost += outgoing.resend
                outgoing.finish(Outcome.LOST, reason)
        self._alerts.put_back(again)

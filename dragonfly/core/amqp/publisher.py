"""The channel that requests and alerts go out on.

Rules, besides those of every channel that publishes (outgoing_channel.py):
1. Every message is confirmed by the broker or its end is told: `Outgoing.done` is called once with the outcome.
2. A mandatory message that nobody is bound for comes back before its confirm; it is told when the confirm comes.
3. Alerts wait apart from all others, since their number is bounded by the service's own key.
4. A returned alert had nobody who listens, which is no error; only after a reconnect it is sent again (alert_gate.py).
5. How many alerts were given up is said once an outage: when it is over for the alert gate, too, or at the end; and
   where too much was on its way, when all of that has landed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from dragonfly.core.amqp.alert_gate import RETRY_SECONDS, AlertGate
from dragonfly.core.amqp.alert_tally import AlertTally
from dragonfly.core.amqp.backlog import Backlog
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.frames import Confirm
from dragonfly.core.amqp.outgoing_channel import DEFAULT_BACKLOG, OutgoingChannel
from dragonfly.core.amqp.packet import Outcome, Outgoing

logger = logging.getLogger(__name__)

# How often an alert goes out at most: a message that ends its channel each time must not do so for ever.
MAX_ATTEMPTS = 5


class Publisher(OutgoingChannel):
    """Publishes requests and alerts, each of them confirmed.

    Args:
        connection: the connection; the publisher follows its ups and downs.
        declarer: makes the exchanges.
        alert_backlog: how many alerts are kept while there is no connection, or nobody yet who listens again.
    """

    def __init__(self, connection: Connection, declarer: Declarer, alert_backlog: int = DEFAULT_BACKLOG) -> None:
        super().__init__(connection, declarer)
        self._alerts = Backlog(alert_backlog)
        self._gate = AlertGate(alert_backlog, on_early=lambda: connection.call(self.let_go))
        self._forget_watch: Callable[[], None] = lambda: None
        # What became of alerts, in numbers.
        self.tally = AlertTally(self._alerts, self._gate)
        # Whether so much was on its way that alerts may have been given up for it.
        self._owes_a_word = False
        self._next_tag = 1
        self._unconfirmed: dict[int, Outgoing] = {}
        self._returnable: dict[str, Outgoing] = {}

    @property
    def unfinished(self) -> int:
        """How many messages the broker has not yet confirmed, or not yet been given."""
        return super().unfinished + self.tally.kept

    @property
    def _number_in_flight(self) -> int:
        return len(self._unconfirmed)

    def _backlog_of(self, outgoing: Outgoing) -> Backlog:
        return self._alerts if outgoing.resend else self._waiting

    def _forget(self, outgoing: Outgoing, reason: str) -> None:
        self.tally.lost += outgoing.resend
        super()._forget(outgoing, reason)

    def _came_up(self) -> None:
        if self._connection.reconnects:
            self._gate.begin()
            self._watch_later()
        super()._came_up()

    def _prepare(self, channel: Any) -> None:
        self._next_tag = 1
        channel.add_on_return_callback(self._on_return)
        self._connection.confirm(channel, self._on_confirm)

    def _send_waiting(self) -> None:
        super()._send_waiting()
        self._send_all_of(self._alerts)

    def _send_kept(self) -> None:
        super()._send_kept()
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
        waiting = deque(alerts)
        while waiting and self._can_send():
            self._publish(waiting.popleft())
        self._alerts.put_back(waiting)

    def _publish(self, outgoing: Outgoing) -> None:
        self._unconfirmed[self._next_tag] = outgoing
        self._next_tag += 1
        outgoing.returned = False
        if outgoing.mandatory and outgoing.tag:
            self._returnable[outgoing.tag] = outgoing
        self._out(outgoing)

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        outgoing = self._returnable.get(properties.message_id or properties.correlation_id)
        if outgoing is not None:
            outgoing.returned = True

    def _on_confirm(self, confirm: Confirm) -> None:
        if not confirm.multiple:
            tags = [confirm.tag] if confirm.tag in self._unconfirmed else []
        else:
            tags = list(takewhile(lambda earlier: earlier <= confirm.tag, self._unconfirmed))  # in their order
        for tag in tags:
            outgoing = self._unconfirmed.pop(tag)
            self._landed(outgoing)
            if confirm.accepted:
                self._confirmed(outgoing)
            else:
                self._refused(outgoing, "the broker could not take the message")
        self._owes_a_word |= self._is_full
        self._go_on()
        if self._owes_a_word and not self._unconfirmed:
            self._owes_a_word = False
            self.tally.tell_lost()

    def _confirmed(self, outgoing: Outgoing) -> None:
        if outgoing.mandatory:
            self._returnable.pop(outgoing.tag or "", None)
        if outgoing.resend:
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
        self._returnable.pop(outgoing.tag or "", None)
        if outgoing.resend:
            self.tally.refused += 1
            self._gate.ended(outgoing)
            # Of a request, whoever sent it is told.
            logger.error("the broker refused %s: %s", outgoing.routing_key, text)
        outgoing.finish(Outcome.REFUSED, text)

    def _fail_one(self, text: str) -> None:
        self._alerts.put_back(self._gate.take_all())
        super()._fail_one(text)

    def _went_down(self, failure: ConnectionFailure) -> None:
        self._forget_watch()
        waiting = self._gate.end()
        if failure.final:  # nobody listened to the very end to what was returned
            self.tally.lost += sum(not alert.returned for alert in waiting)
        else:
            self._alerts.put_back(waiting)
        super()._went_down(failure)

    def _give_up(self) -> None:
        super()._give_up()
        self._alerts.give_up("the connection was closed")
        self.tally.tell_lost()

    def _take_in_flight(self) -> list[Outgoing]:
        in_flight = list(self._unconfirmed.values())
        self._unconfirmed.clear()
        self._returnable.clear()
        return in_flight

    def _ended(self, in_flight: list[Outgoing], reason: str) -> None:
        again = []
        for outgoing in in_flight:
            if outgoing.resend and outgoing.attempts < MAX_ATTEMPTS:
                again.append(outgoing)
            else:
                self._forget(outgoing, reason)
        self._alerts.put_back(again)

"""The channel that declares: exchanges, queues, bindings.

Rules:
1. Nothing is published or consumed here: a declare that the broker refuses closes the channel, and harms nobody else.
2. One declaration is on its way at a time, since pika holds the next one back until the broker has answered. So the
   oldest that is not done is the one that closed the channel: it alone is refused, the others go to the next channel.
3. Both exchanges are declared first on each connection, and again where the broker says that one is gone. Where that is
   forbidden or they exist with other flags, they are declared passively.
4. An exchange that we may not make and that is not there is waited for: it is looked for once a second. A program that
   never had the exchanges is told of it, for perhaps nobody will ever make them.
5. A closed channel is opened again, unless even the exchanges are refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.constants import EXCHANGES

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
_FORBIDDEN_OR_OTHER = (403, 406)
_NOT_FOUND = 404
_LOCKED = 405
# What is away just now, or held for a connection that is dead: a queue refused for that is worth another try.
PASSING = (_NOT_FOUND, _LOCKED)

Declare = Callable[[Any], None]
Refused = Callable[[int, str], None]


class _Declaration(NamedTuple):
    """What to do on a channel, and who is told where the broker refuses it."""

    action: Declare
    on_refused: Refused


class Declarer:
    """Declares on a channel of its own.

    Args:
        connection: the connection; the declarer follows its ups and downs.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: Any = None
        self._passive = False
        self._has_exchanges = False
        # Whether the exchanges were ever there, on this connection or an earlier one.
        self._had_exchanges = False
        self._is_missing_told = False
        # Counts connections: what an earlier one started has no say in this one.
        self._round = 0
        # Those given to the present channel and not done, the oldest first.
        self._declaring: list[_Declaration] = []
        self._waiting: list[_Declaration] = []
        # Called when both exchanges are there: on each connection, and each time they were declared again.
        self.on_ready: list[Callable[[], None]] = []
        # Called where the broker refuses even the exchanges, or has none for a program that never had them.
        self.on_refused: list[Callable[[str], None]] = []
        connection.on_up.append(self._open)
        connection.on_down.append(self._lost)

    @property
    def is_ready(self) -> bool:
        """Whether both exchanges are there, as far as anybody knows."""
        return self._has_exchanges

    def declare(self, action: Declare, on_refused: Refused) -> Callable[[], None]:
        """Declare something, or do it on the next channel where this one is closed; I/O thread.

        Args:
            action: gets the channel and declares; its last method has a callback.
            on_refused: gets code and text where the broker refuses it. Of those that wait with the same one, only the
                last is done.

        Returns:
            What to call when the declaring is done.
        """
        declaration = _Declaration(action, on_refused)
        self._do(declaration)

        def done() -> None:
            if declaration in self._declaring:
                self._declaring.remove(declaration)

        return done

    def declare_exchanges(self) -> None:
        """Declare both exchanges once more; I/O thread. Until that is done nothing is published."""
        self._has_exchanges = False
        if self._channel is not None and self._channel.is_open:
            self._declare_exchanges()

    def again(self, action: Callable[[], None]) -> None:
        """Do something after a pause and when the exchanges are there, unless the connection goes; I/O thread."""
        self._later(lambda: action() if self._has_exchanges else self.again(action))

    def _later(self, action: Callable[[], None]) -> None:
        this_round = self._round
        self._connection.call_later(RETRY_SECONDS, lambda: action() if this_round == self._round else None)

    def _open(self) -> None:
        if self._connection.is_up:
            self._connection.open_channel(self._on_open)

    def _on_open(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        if not self._has_exchanges:
            self._declare_exchanges()
        waiting, self._waiting = self._waiting, []
        for declaration in waiting:
            self._do(declaration)

    def _do(self, declaration: _Declaration) -> None:
        if self._channel is not None and self._channel.is_open:
            self._declaring.append(declaration)
            declaration.action(self._channel)
        else:
            self._waiting = [each for each in self._waiting if each.on_refused != declaration.on_refused]
            self._waiting.append(declaration)

    def _declare_exchanges(self) -> None:
        def action(channel: Any) -> None:
            for exchange in EXCHANGES[:-1]:
                channel.exchange_declare(exchange, "topic", passive=self._passive)
            channel.exchange_declare(EXCHANGES[-1], "topic", passive=self._passive, callback=made)

        def made(_frame: Any) -> None:
            done()
            self._on_exchanges()

        done = self.declare(action, self._exchanges_refused)

    def _on_exchanges(self) -> None:
        self._has_exchanges = self._had_exchanges = True
        self._is_missing_told = False
        for tell in list(self.on_ready):
            tell()

    def _on_closed(self, channel: Any, reason: Any) -> None:
        if channel is not self._channel or not self._connection.is_up:
            return  # the connection went with it: `_lost` takes care
        self._channel = None
        code, text = getattr(reason, "reply_code", 0), getattr(reason, "reply_text", str(reason))
        declaring, self._declaring = self._declaring, []
        behind = [each for each in declaring[1:] if each.on_refused != self._exchanges_refused]
        if code == _NOT_FOUND or len(behind) < len(declaring) - 1:
            self._has_exchanges = False  # so they are declared first on the next channel
        self._waiting = behind + self._waiting
        if declaring and declaring[0].on_refused == self._exchanges_refused:
            self._exchanges_refused(code, text)
            return
        for declaration in declaring[:1]:
            declaration.on_refused(code, text)
        self._open()

    def _exchanges_refused(self, code: int, text: str) -> None:
        self._has_exchanges = False
        was_passive, self._passive = self._passive, not self._passive and code in _FORBIDDEN_OR_OTHER
        if self._passive:
            self._open()
        elif was_passive and code == _NOT_FOUND:
            self._later(self._open)
            self._tell_missing(text)
        else:
            waiting, self._waiting = self._waiting, []
            for tell in list(self.on_refused):
                tell(text)
            for declaration in waiting:
                declaration.on_refused(code, text)

    def _tell_missing(self, text: str) -> None:
        if self._is_missing_told:
            return
        self._is_missing_told = True
        if self._had_exchanges:
            logger.warning("broker %s: %s; waiting until it is made again", self._connection.address.display, text)
        else:
            for tell in list(self.on_refused):
                tell(text)

    def _lost(self, _failure: ConnectionFailure) -> None:
        self._channel = None
        self._has_exchanges = False
        self._is_missing_told = self._is_missing_told and self._had_exchanges
        self._round += 1
        self._declaring.clear()
        self._waiting.clear()

"""The channel that declares: exchanges, queues, bindings.

Rules:
1. Nothing is published or consumed here: a declare that the broker refuses closes the channel, and harms nobody else.
2. Both exchanges are declared first on each connection, and again where the broker says that one is gone. Where that is
   forbidden or they exist with other flags, they are declared passively.
3. A closed channel is opened again, unless even the exchanges are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.constants import EXCHANGES

_FORBIDDEN_OR_OTHER = (403, 406)
_NOT_FOUND = 404

Declare = Callable[[Any], None]
Refused = Callable[[int, str], None]


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
        # Who is told when the broker closes the channel; all of them were declaring then.
        self._declaring: list[Refused] = []
        self._waiting: list[tuple[Declare, Refused]] = []
        # Called when both exchanges are there: on each connection, and each time they were declared again.
        self.on_ready: list[Callable[[], None]] = []
        # Called where the broker refuses even the exchanges.
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
            action: gets the channel and declares.
            on_refused: gets code and text where the broker closes the channel meanwhile.

        Returns:
            What to call when the declaring is done.
        """
        if self._channel is not None and self._channel.is_open:
            self._declaring.append(on_refused)
            action(self._channel)
        else:
            self._waiting.append((action, on_refused))

        def done() -> None:
            if on_refused in self._declaring:
                self._declaring.remove(on_refused)

        return done

    def declare_exchanges(self) -> None:
        """Declare both exchanges once more; I/O thread. Until that is done nothing is published."""
        self._has_exchanges = False
        if self._channel is not None and self._channel.is_open:
            self._declare_exchanges(self._channel)

    def _open(self) -> None:
        self._connection.open_channel(self._on_open)

    def _on_open(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        if not self._has_exchanges:
            self._declare_exchanges(channel)
        waiting, self._waiting = self._waiting, []
        for action, on_refused in waiting:
            self.declare(action, on_refused)

    def _declare_exchanges(self, channel: Any) -> None:
        for exchange in EXCHANGES[:-1]:
            channel.exchange_declare(exchange, "topic", passive=self._passive)
        channel.exchange_declare(EXCHANGES[-1], "topic", passive=self._passive, callback=self._on_exchanges)

    def _on_exchanges(self, _frame: Any) -> None:
        self._has_exchanges = True
        for tell in list(self.on_ready):
            tell()

    def _on_closed(self, channel: Any, reason: Any) -> None:
        if channel is not self._channel or not self._connection.is_up:
            return  # the connection went with it: `_lost` takes care
        self._channel = None
        code, text = getattr(reason, "reply_code", 0), getattr(reason, "reply_text", str(reason))
        if not self._has_exchanges and not self._passive and code in _FORBIDDEN_OR_OTHER:
            self._passive = True
            self._declaring.clear()
            self._open()
        elif not self._has_exchanges:
            self._passive = False
            for tell in list(self.on_refused):
                tell(text)
        else:
            self._has_exchanges = code != _NOT_FOUND
            declaring, self._declaring = self._declaring, []
            for on_refused in declaring:
                on_refused(code, text)
            self._open()

    def _lost(self, _failure: ConnectionFailure) -> None:
        self._channel = None
        self._has_exchanges = False
        self._declaring.clear()
        self._waiting.clear()

"""How the monitor prints messages: as blocks for people, or as lines for programs.

A laboratory sends thousands of messages a second, so a block is made without the log, with whose line it begins: a
record for each took half of the printer's time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from dragonfly.core.codec import decode
from dragonfly.core.constants import LEVEL_MESSAGE
from dragonfly.core.exceptions import DriplineError
from dragonfly.core.masking import may_hold_secret
from dragonfly.status_log_handlers.console import TIME, visible
from dragonfly.subcommands.message_text import indented, one_line, shown_fields, shown_payload, undecoded

if TYPE_CHECKING:
    from dragonfly.core.amqp.packet import Delivery

_NO_APP = "unknown"
_COLUMNS, _COLUMNS_OF_PAYLOAD = 4, 2


class Printer(Protocol):
    """Makes of messages what is printed."""

    def text(self, deliveries: Iterable[Delivery]) -> str:
        """Return what is printed of messages."""


class BlockPrinter:
    """Makes a block of lines of each message.

    Args:
        payload_only: whether only what a message is about is shown.
        show_keys: whether lockout keys and other secrets are shown as they are.
        source: module and line, as the log would have them.
    """

    def __init__(self, payload_only: bool, show_keys: bool, source: str) -> None:
        self._payload_only = payload_only
        self._show_keys = show_keys
        self._source = f"[Level {LEVEL_MESSAGE}] {source} -> \n"
        self._columns = _COLUMNS_OF_PAYLOAD if payload_only else _COLUMNS

    def text(self, deliveries: Iterable[Delivery]) -> str:
        """Return what is printed of messages."""
        head = time.strftime(TIME) + self._source
        return visible("".join([head + self._block(delivery) for delivery in deliveries]))

    def _block(self, delivery: Delivery) -> str:
        try:
            text = indented(_content(delivery, self._payload_only, self._show_keys), self._columns)
        except DriplineError as err:
            text = f"cannot be decoded: {err}\n{_undecoded(delivery, self._show_keys)}"
        return f"{delivery.app_id or _NO_APP} [{delivery.routing_key}]     (From App [routing_key])\n{text}\n"


class LinePrinter:
    """Makes a JSON object on one line of each message.

    Args:
        payload_only: whether only what a message is about is shown.
        show_keys: whether lockout keys and other secrets are shown as they are.
    """

    def __init__(self, payload_only: bool, show_keys: bool) -> None:
        self._payload_only = payload_only
        self._show_keys = show_keys

    def text(self, deliveries: Iterable[Delivery]) -> str:
        """Return what is printed of messages."""
        return "".join([self._line(delivery) for delivery in deliveries])

    def _line(self, delivery: Delivery) -> str:
        fields: dict[str, Any] = {
            "exchange": delivery.exchange,
            "routing_key": delivery.routing_key,
            "app_id": delivery.app_id,
        }
        try:
            fields["message"] = _content(delivery, self._payload_only, self._show_keys)
        except DriplineError as err:
            fields.update(message=None, reason=str(err), body=_undecoded(delivery, self._show_keys))
        return one_line(fields) + "\n"


def _content(delivery: Delivery, payload_only: bool, show_keys: bool) -> Any:
    message = decode(delivery.body, delivery.content_encoding)
    key = delivery.routing_key
    masked = not show_keys and may_hold_secret(key, delivery.body)
    return shown_payload(message, key, masked) if payload_only else shown_fields(message, key, masked)


def _undecoded(delivery: Delivery, show_keys: bool) -> str:
    return undecoded(delivery.body, delivery.routing_key, not show_keys)

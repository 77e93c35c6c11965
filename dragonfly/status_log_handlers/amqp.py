"""The mesh: warnings and errors of a service as alerts `status_message.LEVEL.SERVICE`, for whoever listens.

Rules:
1. It never waits: an alert is handed over, and kept while the broker is away, as any other of the service.
2. No record makes another one without end: what the wire says makes no alert, since it may speak of that very alert,
   nor does what is logged while one is sent, nor what speaks of a status message.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from dragonfly.core.exceptions import DriplineError
from dragonfly.status_log_handlers import UNSAYABLE, PlaceHandler, Source

STATUS_MESSAGE = "status_message"
_WIRE = "dragonfly.core.amqp"
_LONGEST_TEXT = 10_000  # characters


def handler(source: Source) -> logging.Handler | None:
    """Return what sends a source's records as alerts, where its key `status_alerts` is on."""
    if not source.status_alerts or source.send_alert is None:
        return None
    return AlertHandler(source.name, source.send_alert)


class AlertHandler(PlaceHandler):
    """Send each record from WARNING up as an alert, whose payload is its text.

    Args:
        name: the service.
        send_alert: sends an alert, given its routing key and its payload; it must not wait.
    """

    def __init__(self, name: str, send_alert: Callable[[str, Any], None]) -> None:
        super().__init__(logging.WARNING)
        self._service = name
        self._send_alert = send_alert
        self._of_thread = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record may make an alert."""
        is_of_wire = f"{record.name}.".startswith(f"{_WIRE}.")
        return not is_of_wire and not getattr(self._of_thread, "is_sending", False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        self._of_thread.is_sending = True
        try:
            text = record.getMessage()
            # An alert consumer of these that fails on one logs that, and would get what it has logged.
            if f"{STATUS_MESSAGE}." not in text:
                key = f"{STATUS_MESSAGE}.{_level_name(record.levelno)}.{self._service}"
                self._send_alert(key, text[:_LONGEST_TEXT])
        except (DriplineError, *UNSAYABLE):
            self.handleError(record)
        finally:
            self._of_thread.is_sending = False


def _level_name(level: int) -> str:
    return "critical" if level >= logging.CRITICAL else "error" if level >= logging.ERROR else "warning"

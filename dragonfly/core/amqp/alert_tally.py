"""What became of a publisher's alerts, in numbers."""

from __future__ import annotations

import logging

from dragonfly.core.amqp.alert_gate import AlertGate
from dragonfly.core.amqp.backlog import Backlog

logger = logging.getLogger(__name__)


class AlertTally:
    """Counts alerts, and says once an outage how many were given up.

    Args:
        backlog: holds those that wait for a connection.
        gate: holds those that wait for somebody who listens again.
    """

    def __init__(self, backlog: Backlog, gate: AlertGate) -> None:
        self._backlog = backlog
        self._gate = gate
        self._told = 0
        self.sent = 0
        # Refused by the broker, each of which is told when it happens.
        self.refused = 0
        # Given up outside of backlog and gate.
        self.lost = 0

    @property
    def kept(self) -> int:
        """How many wait now."""
        return len(self._backlog) + len(self._gate)

    @property
    def dropped(self) -> int:
        """How many were given up, for whatever reason."""
        return self._silently_lost + self.refused

    def tell_lost(self) -> None:
        """Say how many were given up since this was said last; nothing where none was."""
        lost = self._silently_lost - self._told
        self._told += lost
        if lost:
            logger.critical("%d alerts were given up: they waited too long for the broker, or too many did", lost)

    @property
    def _silently_lost(self) -> int:
        return self._backlog.dropped + self._gate.dropped + self.lost

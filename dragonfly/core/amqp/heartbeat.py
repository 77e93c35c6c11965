"""When a connection that says nothing is given up.

A broker sends something at least every half heartbeat. pika looks once in a heartbeat plus 5 s, so it takes up to 30 s
to notice a dead link where the heartbeat is 10 s, and 12 s where it is 1 s. Here it is looked more often: a broker that
said nothing for two heartbeats, as long as AMQP 0-9-1 gives it (4.2.7), is given up after two and a half at the latest.
"""

from __future__ import annotations

import pika.heartbeat

# Looks in a heartbeat, and how many of them in a row may find nothing: two heartbeats' worth.
_LOOKS, _SILENT_LOOKS = 2, 4


class Heartbeat(pika.heartbeat.HeartbeatChecker):  # type: ignore[misc]
    """Sends heartbeats as pika does, and looks more often whether the broker still says something."""

    @property
    def connection_is_idle(self) -> bool:
        """Whether the broker has said nothing for two heartbeats."""
        return bool(self._idle_byte_intervals >= _SILENT_LOOKS)

    def _start_check_timer(self) -> None:
        # Here, since pika's constructor sets it and starts this timer in one go.
        self._check_interval = self._timeout / _LOOKS
        super()._start_check_timer()

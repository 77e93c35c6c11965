"""What a service has done since its start, and what it is busy with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dragonfly.core.counters import Counters
from dragonfly.core.lane import Lane
from dragonfly.core.service_presence import Wire

ALERTS_FAILED = "alerts_failed"


def statistics_of(counts: Counters, wire: Wire | None, lanes: Iterable[Lane], uptime: float) -> dict[str, Any]:
    """Return the statistics of a service.

    Args:
        counts: how many requests ended how, and how many alerts its handler failed on.
        wire: its connection; None before it has one.
        lanes: its lanes.
        uptime: since its start, s.
    """
    values = counts.values()
    failed = values.pop(ALERTS_FAILED)
    return {
        **values,
        "alerts_sent": 0 if wire is None else wire.publisher.tally.sent,
        "alerts_kept": 0 if wire is None else wire.publisher.tally.kept,
        "alerts_dropped": 0 if wire is None else wire.publisher.tally.dropped,
        ALERTS_FAILED: failed,
        "reconnects": 0 if wire is None else wire.connection.reconnects,
        "lanes": {lane.name: {"depth": lane.depth, "busy_s": round(lane.busy_seconds, 3)} for lane in lanes},
        "uptime_s": round(uptime, 3),
    }

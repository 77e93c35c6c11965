"""Whether a request comes too late to be started.

A command that starts after its caller gave up is worse than one that never starts. The broker's expiration alone does
not keep late ones away: its clock starts when it reads the message, and what is delivered does not expire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dragonfly.core.constants import DEADLINE_HEADER, DEFAULT_TIMEOUT


def lateness(
    headers: Mapping[Any, Any], expiration: str | None, waited: float, now: float, tolerance: float
) -> str | None:
    """Return why a request must not be started any more, or None.

    Args:
        headers: the request's AMQP headers; `deadline` is the caller's clock (UTC, ms) after which nobody waits.
        expiration: the request's AMQP expiration, ms, as text.
        waited: time since the request arrived here, s.
        now: this machine's clock, UTC, s since 1970.
        tolerance: how far the two clocks may differ, s.
    """
    deadline = headers.get(DEADLINE_HEADER)
    # pika gives long numbers as a subclass of int.
    if not isinstance(deadline, int) or isinstance(deadline, bool):
        deadline = None
    if deadline is not None and now - deadline / 1000 > tolerance:
        return f"{_clocks(deadline, now)}: it was not started"
    patience = _seconds(expiration)
    if patience is None and deadline is None:
        patience = DEFAULT_TIMEOUT  # the original's clients say nothing and wait that long
    if patience is not None and waited > patience:
        told = "" if deadline is None else f" ({_clocks(deadline, now)})"
        return f"it waited {waited:.1f} s here, its caller only {patience:g} s{told}: it was not started"
    return None


def _seconds(expiration: str | None) -> float | None:
    if expiration is not None and expiration.isascii() and expiration.isdigit():
        return int(expiration[:15]) / 1000
    return None


def _clocks(deadline: int, now: float) -> str:
    return f"its deadline is {_clock(deadline / 1000)} by the caller's clock, and it is {_clock(now)} by this machine's"


def _clock(seconds: float) -> str:
    # time and datetime refuse what a peer's header may hold; a number of this size is shown as it is.
    from datetime import datetime, timedelta, timezone

    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds:g} s"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

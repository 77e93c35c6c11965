"""`get --watch`: one value, asked for again and again, and a line each time that it is another.

Rules:
1. One connection serves all readings. Where it cannot be made in the first place, the verb fails as any get does; one
   that is lost later comes back by itself, and the person is told once for each outage.
2. A reading that fails is a line as well, with the return code of what went wrong.
3. Readings are due at fixed times; those that were missed while one took long are left out.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator

from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError
from dragonfly.core.message import ReplyMessage
from dragonfly.subcommands.exit_status import Status
from dragonfly.subcommands.pause import pause_until
from dragonfly.subcommands.signals import interrupted_by_sigterm

logger = logging.getLogger(__name__)


def watch(interval: float, ask: Callable[[], ReplyMessage], show: Callable[[ReplyMessage], None]) -> Status:
    """Show the first reply and each that differs from the one before it, until Ctrl-C; return the exit status.

    Args:
        interval: time from one question to the next, s.
        ask: asks once.
        show: prints a reply.

    Raises:
        DriplineAMQPConnectionError: the broker cannot be reached in the first place.
    """
    before = None
    try:
        with interrupted_by_sigterm():
            for reply in _readings(interval, ask):
                now = (reply.retcode, reply.payload, reply.return_msg)
                if now != before:
                    show(reply)
                before = now
    except KeyboardInterrupt:
        logger.info("nothing is asked any more")
    return Status.SUCCESS


def _readings(interval: float, ask: Callable[[], ReplyMessage]) -> Iterator[ReplyMessage]:
    was_reached = is_away = False
    for _ in _ticks(interval):
        try:
            reply = ask()
        except DriplineAMQPConnectionError as err:
            if not was_reached:
                raise
            if not is_away:
                logger.warning("%s; it goes on when the broker is back", err)
            is_away = True
            continue
        except DriplineError as err:
            reply = ReplyMessage({"values": [None]}, retcode=err.retcode, return_msg=str(err))
        was_reached, is_away = True, False
        yield reply


def _ticks(interval: float) -> Iterator[None]:
    """Yield at fixed times, an interval (s) apart, the first at once."""
    due = time.monotonic()
    while True:
        yield
        due += interval * max(1, math.ceil((time.monotonic() - due) / interval))
        pause_until(due)

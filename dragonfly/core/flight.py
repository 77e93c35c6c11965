"""A request on its way among many: what it asks, and what came of it.

Rules:
1. Its reply is set once, by the I/O thread or before it is sent; the thread that asked only reads it.
2. Only the flight that is waited for wakes who waits, since the replies come nearly always in order, and only after the
   I/O thread has taken in all that the broker had sent: a thread woken by each reply would take the interpreter from it
   a thousand times, and a tenth of the requests a second with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from dragonfly.core.constants import OPERATION_NAMES
from dragonfly.core.exceptions import DriplineError, DriplineTimeoutError, DriplineValueError, reply_fields
from dragonfly.core.message import ReplyMessage
from dragonfly.core.pending import Pending

_OPERATIONS = {name: number for number, name in OPERATION_NAMES.items()}
_SHOWN = 120
# An I/O thread that ends has no "soon" any more, and nobody shall wait out his timeout for a reply that is there, s.
_LONGEST_WAIT = 0.2


class Watch:
    """What one thread waits for.

    Args:
        soon: runs something on the I/O thread when that is done with what came.
    """

    __slots__ = ("awaited", "event", "soon")

    def __init__(self, soon: Callable[[Callable[[], None]], None]) -> None:
        self.awaited: Flight | None = None
        self.event = threading.Event()
        self.soon = soon

    def wait_for(self, flight: Flight) -> None:
        """Wait until a flight has its reply, or no time any more."""
        if flight.reply is not None:
            return
        self.awaited = flight
        # An earlier flight may still set the event: so look again. The flight itself is looked at after the event was
        # cleared and before the wait, and no reply is missed.
        while flight.reply is None and (left := flight.deadline - time.monotonic()) > 0:
            self.event.clear()
            if flight.reply is None:
                self.event.wait(min(left, _LONGEST_WAIT))
        self.awaited = None


class Flight(Pending):
    """A request of `request_many`.

    Args:
        watch: tells whoever waits.
        msgop: the operation.
        routing_key: target, or target and specifier.
        wait: how long it may take from now, s.
    """

    __slots__ = ("deadline", "msgop", "reply", "wait", "watch")

    def __init__(self, watch: Watch, msgop: int, routing_key: str, wait: float) -> None:
        super().__init__(self.arrived)
        self.reply: ReplyMessage | DriplineError | None = None
        self.watch = watch
        self.msgop = msgop
        self.routing_key = routing_key
        self.wait = wait
        self.deadline = time.monotonic() + wait

    def arrived(self, reply: ReplyMessage | DriplineError) -> None:
        """Take the reply, or the error that ended the request."""
        self.reply = reply
        if self.watch.awaited is self:
            self.watch.soon(self.watch.event.set)


def parsed(item: Any) -> tuple[str, int, dict[str, Any]]:
    """Return routing key, operation and payload of an item of `request_many`.

    Raises:
        DriplineValueError: it has another form.
    """
    if isinstance(item, str):
        return item, _OPERATIONS["get"], {"values": []}
    verb, target, *values = item if isinstance(item, (tuple, list)) and len(item) > 1 else (None, None)
    if not (isinstance(verb, str) and verb in _OPERATIONS and isinstance(target, str)):
        known = ", ".join(_OPERATIONS)
        raise not_a_request(item, f"a target, or (verb, target, value, ...) with one of the verbs {known} was expected")
    return target, _OPERATIONS[verb], {"values": values}


def not_a_request(item: Any, reason: str) -> DriplineValueError:
    """Return the error of an item that cannot be sent."""
    shown = repr(item)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return DriplineValueError(f"{shown} cannot be requested: {reason}")


def no_reply(msgop: int, routing_key: str, wait: float) -> DriplineTimeoutError:
    """Return the error of a request that got no reply within `wait` s."""
    operation = OPERATION_NAMES.get(msgop, str(msgop))
    return DriplineTimeoutError(
        f"no reply to {operation} {routing_key} within {wait:g} s: its service may be busy or hung, and begins"
        " it no more; or it is not there, and a monitor of the requests exchange hides that nobody took the"
        " request"
    )


def reply_from(flight: Flight) -> ReplyMessage:
    """Return a flight's reply; an error as the reply with its code and text, none at all as a timeout's."""
    flight.on_reply = _ignored  # else flight and method would hold each other until the garbage collector comes
    reply = flight.reply
    if isinstance(reply, ReplyMessage):
        return reply
    retcode, text, payload = reply_fields(reply or no_reply(flight.msgop, flight.routing_key, flight.wait))
    return ReplyMessage(payload, retcode=retcode, return_msg=text)


def _ignored(_reply: ReplyMessage | DriplineError) -> None:
    pass

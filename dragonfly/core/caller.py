"""Requests and their replies for whoever waits for them: an Interface, or a handler of a service.

Rules:
1. Any thread may call, except the I/O thread, which brings the replies. A call keeps all that it needs to itself.
2. A call waits so long as its timeout says, the way to the broker included.
3. What a call still waits for when it ends is forgotten.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.constants import BROADCAST, DEFAULT_QUIET_TIME
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineError,
    DriplinePayloadError,
    DriplineValueError,
    exception_from_reply,
)
from dragonfly.core.flight import Flight, Watch, no_reply, not_a_request, parsed, reply_from
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.numbers import checked_timeout
from dragonfly.core.pending import Pending
from dragonfly.core.requester import Requester, is_returned
from dragonfly.core.routing import split

# How many requests of `request_many` may be on their way: enough to keep a broker busy, and one lane of a service holds
# ten times as many.
WINDOW = 1_000


class Caller:
    """Asks on a connection and waits for what comes back.

    Args:
        connection: the connection; it is started where it was not.
        requester: sends the requests.
        timeout: how long a request waits for its reply where it does not say so itself, s.
    """

    def __init__(self, connection: Connection, requester: Requester, timeout: float) -> None:
        self._connection = connection
        self._requester = requester
        self._timeout = checked_timeout(timeout)

    def request(
        self,
        routing_key: str,
        msgop: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
        *,
        confirm_retcode: bool = True,
    ) -> ReplyMessage:
        """Send a request and return its reply.

        Args:
            routing_key: target, or target and specifier.
            msgop: the operation, one of the constants OP_...
            payload: `{"values": [...]}` and further keys.
            timeout: how long to wait for the reply, s; the caller's own by default.
            lockout_key: key of a locked endpoint.
            confirm_retcode: whether a return code from 100 on raises.

        Raises:
            DriplineError: the one that the reply's return code stands for.
            DriplineTimeoutError, DriplineAMQPConnectionError: no reply came in time, or no broker takes the request.
            DriplineValueError: the target is no text, or everybody; or the timeout is none that a broker can count.
        """
        check_single(routing_key)
        deadline = time.monotonic() + (wait := self._wait(timeout))
        replies, pending = self._send(routing_key, msgop, payload, wait, lockout_key)
        try:
            reply: ReplyMessage | DriplineError = replies.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self._requester.doubt()
            raise no_reply(msgop, routing_key, wait) from None
        finally:
            self._requester.forget(pending)
        if isinstance(reply, DriplineError):
            raise reply
        if confirm_retcode and reply.failed:
            text = f"nobody serves {routing_key}" if is_returned(reply) else reply.return_msg
            raise exception_from_reply(reply.retcode, text, reply.payload)
        return reply

    def request_all(
        self,
        routing_key: str,
        msgop: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
        quiet_time: float = DEFAULT_QUIET_TIME,
    ) -> list[ReplyMessage]:
        """Send a request that many services answer and return their replies.

        It ends `quiet_time` s after the last reply, and `timeout` s after the request at the latest. The arguments and
        errors are those of `request`; that no service answers is no error, and no return code raises.
        """
        target_of(routing_key)
        wait = self._wait(timeout)
        deadline = time.monotonic() + wait
        replies, pending = self._send(routing_key, msgop, payload, wait, lockout_key, many=True)
        collected: list[ReplyMessage] = []
        try:
            while (left := deadline - time.monotonic()) > 0:
                reply = replies.get(timeout=min(left, quiet_time) if collected else left)
                if isinstance(reply, DriplineError):
                    raise reply
                collected.append(reply)
                if is_returned(reply):
                    break
        except queue.Empty:
            pass
        finally:
            self._requester.forget(pending)
        if not collected:
            self._requester.doubt()
        return collected

    def request_many(self, requests: Iterable[Any], timeout: float | None = None) -> Iterator[ReplyMessage]:
        """Send many requests, a window of them at a time, and yield their replies in the order of the requests.

        Args:
            requests: each a target, which is a get, or a tuple (verb, target, value, ...); read as they are needed.
            timeout: how long each waits for its reply from when it was sent, s; the caller's own by default.

        Raises:
            DriplineValueError: one of the requests is none, or cannot be sent; those before it have had their replies.
        """
        wait = self._wait(timeout)
        if isinstance(requests, str):
            raise DriplineValueError(f"request_many takes several requests, such as [{requests!r}], not a text")
        flights: deque[Flight] = deque()
        watch = Watch(self._connection.call)
        malformed: DriplineError | None = None
        problem: DriplineError | None = None
        try:
            for item in requests:
                if problem is not None or not self._requester.is_ready:
                    # One wait in vain is enough: the rest shall not take so long each.
                    problem = self._problem(wait if problem is None else 0.0)
                try:
                    flights.append(self._launched(item, wait, watch, problem))
                except DriplineValueError as err:
                    malformed = err
                    break
                while flights and (flights[0].reply is not None or len(flights) >= WINDOW):
                    yield self._landed(flights, watch)
            while flights:
                yield self._landed(flights, watch)
            if malformed is not None:
                raise malformed
        finally:
            for flight in flights:
                self._requester.forget(flight)

    def _send(
        self,
        routing_key: str,
        msgop: int,
        payload: dict[str, Any],
        wait: float,
        lockout_key: str | None,
        *,
        many: bool = False,
    ) -> tuple[queue.SimpleQueue[Any], Pending]:
        started = time.monotonic()
        self._make_ready(wait)
        replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        pending = Pending(replies.put, many=many)
        request = RequestMessage(msgop, payload, lockout_key=lockout_key)
        left = max(0.001, wait - (time.monotonic() - started))
        self._requester.send(routing_key, request, left, pending)
        return replies, pending

    def _wait(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else checked_timeout(timeout)

    def _make_ready(self, wait: float) -> None:
        self._connection.start()
        self._requester.wait_ready(wait)

    def _problem(self, wait: float) -> DriplineError | None:
        """Return why nothing can be sent, after `wait` s; None where it can."""
        try:
            self._make_ready(wait)
        except DriplineAMQPConnectionError as err:
            return err
        return None

    def _launched(self, item: Any, wait: float, watch: Watch, problem: DriplineError | None) -> Flight:
        """Return a request that was sent, or that has its error already."""
        routing_key, msgop, payload = parsed(item)
        flight = Flight(watch, msgop, routing_key, wait)
        if problem is not None:
            flight.reply = problem
            return flight
        try:
            self._requester.send(routing_key, RequestMessage(msgop, payload), wait, flight)
        except (DriplineValueError, DriplinePayloadError) as err:
            raise not_a_request(item, str(err)) from err
        return flight

    def _landed(self, flights: deque[Flight], watch: Watch) -> ReplyMessage:
        """Wait for the oldest request's reply and return it, or what stands for it."""
        flight = flights[0]
        watch.wait_for(flight)
        if flight.reply is None:
            self._requester.forget(flight)
            self._requester.doubt()
        flights.popleft()
        return reply_from(flight)


def check_single(routing_key: object) -> None:
    """Refuse a request that many services answer.

    Raises:
        DriplineValueError: it is such, or its target is no text.
    """
    if target_of(routing_key) == BROADCAST:
        raise DriplineValueError(f"{routing_key} is answered by every service: request_all returns all replies")


def target_of(routing_key: object) -> str:
    """Return whom a request is for.

    Raises:
        DriplineValueError: it is no text.
    """
    if not isinstance(routing_key, str):
        raise DriplineValueError(f"a target is a text, such as 'peaches' or 'peaches.unit', not {routing_key!r:.80}")
    return split(routing_key)[0]

"""Requests in flight on one connection, and the way of each reply to its request.

Rules:
1. One exclusive reply queue per connection, as the original's clients have one per request; replies find their request
   by correlation_id.
2. A request says until when it may start: `expiration` for the broker and the header `deadline` for the service.
3. A request ends once: by its reply, by the broker's return (nobody is bound), by a refusal, or with its connection.
   Who waits for it looks after the time. One that many answer goes on until whoever waits forgets it.
4. A second reply to a request means that two programs did what it asked for: a warning, once per request.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from dragonfly.core import codec
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.declarer import PASSING, Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Delivery, Outcome, Outgoing
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.constants import (
    BROADCAST,
    DEADLINE_HEADER,
    NOT_DELIVERABLE,
    PROBE_HEADER,
    REPLY_QUEUE_PREFIX,
    REQUESTS,
)
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPError,
    DriplineAMQPRoutingKeyError,
    DriplineError,
)
from dragonfly.core.message import Message, ReplyMessage, RequestMessage
from dragonfly.core.pending import Pending
from dragonfly.core.routing import split

logger = logging.getLogger(__name__)

# So many answered requests are remembered: a second reply comes soon after the first, or hardly ever.
ANSWERED = 1_000
_SHOWN = 80


class Requester:
    """Sends requests and hands each reply to whoever waits for it.

    Args:
        connection: the connection; a reply queue is opened on each of its ups.
        declarer: declares the reply queue.
        publisher: sends the requests.
        decode: makes a message of a reply's body and content_encoding; a limit is its matter.
    """

    def __init__(
        self,
        connection: Connection,
        declarer: Declarer,
        publisher: Publisher,
        decode: codec.Decode = codec.decode,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._decode = decode
        self._queue = f"{REPLY_QUEUE_PREFIX}{uuid4()}"
        self._consumer = Consumer(connection, declarer, self._queue, [(REQUESTS, self._queue)], self._on_delivery)
        self._consumer.on_lost = connection.drop
        # Correlation ids have the form of a UUID, and only their first half is random: the system's random numbers cost
        # a change of thread each, which took a tenth of the requests a second away.
        self._first_half = str(uuid4())[:24]
        self._number = itertools.count()
        self._pending: dict[str, Pending] = {}
        # By correlation_id: who was asked for, and who answered.
        self._answered: OrderedDict[str, tuple[str, ReplyMessage]] = OrderedDict()
        self._ready = threading.Event()
        self._was_ready = False
        self._failure: ConnectionFailure | None = None
        # Called on the I/O thread when requests can be sent, on each connection.
        self.on_ready: list[Callable[[], None]] = []
        self.on_refused: list[Callable[[str], None]] = []
        self._is_open = False
        self._is_doubted = False
        self._again = declarer.again
        declarer.on_ready.append(self._open)
        declarer.on_refused.append(lambda text: self._refused(0, text))
        connection.on_down.append(self._lost)
        connection.on_blocked.append(self._blocked)

    @property
    def is_ready(self) -> bool:
        """Whether requests can be sent at once."""
        return self._ready.is_set() and self._failure is None

    def wait_ready(self, timeout: float) -> None:
        """Wait until requests can be sent; any thread but the I/O thread.

        Args:
            timeout: how long, s.

        Raises:
            DriplineAMQPConnectionError: the broker cannot be reached, refuses us, or does not answer in time.
        """
        ready = self._ready.wait(timeout)
        failure = self._failure
        if failure is not None:
            raise DriplineAMQPConnectionError(failure.text)
        if not ready:
            raise DriplineAMQPConnectionError(f"broker {self._connection.address.display} does not answer")

    def send(
        self, routing_key: str, request: RequestMessage, timeout: float, pending: Pending, *, probe: bool = False
    ) -> None:
        """Send a request; any thread.

        Args:
            routing_key: target, or target and specifier.
            request: the message.
            timeout: how long the caller will wait, s: the request does not start later.
            pending: takes the reply.
            probe: whether the request is a program's own question, which monitors and counters leave out.

        Raises:
            DriplinePayloadError: the payload cannot be carried by JSON.
            DriplineValueError: the routing key is longer than AMQP can carry.
        """
        blocked = self._connection.blocked
        if blocked is not None:
            pending.on_reply(_takes_nothing(blocked))
            return
        pending.correlation_id = f"{self._first_half}{next(self._number):012x}"
        milliseconds = max(1, round(timeout * 1000))
        headers: dict[str, Any] = {DEADLINE_HEADER: int(time.time() * 1000) + milliseconds}
        if probe:
            headers[PROBE_HEADER] = True
        outgoing = Outgoing(
            REQUESTS,
            routing_key,
            codec.encode(request),
            correlation_id=pending.correlation_id,
            reply_to=self._queue,
            headers=headers,
            expiration=milliseconds,
            mandatory=True,
            done=lambda outcome, reason: self._on_outcome(pending, outcome, reason),
        )
        pending.routing_key = routing_key
        pending.outgoing = outgoing
        self._pending[pending.correlation_id] = pending
        self._publisher.submit(outgoing)

    def forget(self, pending: Pending) -> None:
        """Stop waiting for a request's reply, and do not send the request if that was not done yet; any thread."""
        if self._pending.pop(pending.correlation_id, None) is not None:
            pending.cancel()

    def bind_again(self) -> None:
        """Declare and bind the reply queue once more; I/O thread."""
        self._consumer.bind_again()

    def doubt(self) -> None:
        """Take note that no reply came: perhaps the reply queue is bound no more, and none ever would. Any thread."""
        if not self._is_doubted:
            self._is_doubted = True
            self._connection.call(self._check_binding)

    def _check_binding(self) -> None:
        self._is_doubted = False
        if self.is_ready and self._connection.is_up and self._connection.blocked is None:
            self.bind_again()

    def _open(self) -> None:
        if not self._is_open:  # else the exchanges were only declared again
            self._is_open = True
            self._queue = f"{REPLY_QUEUE_PREFIX}{uuid4()}"
            self._consumer.rename(self._queue, [(REQUESTS, self._queue)])
            self._consumer.open(self._opened, self._refused)

    def _opened(self) -> None:
        self._failure = None
        self._was_ready = True
        self._ready.set()
        for action in list(self.on_ready):
            action()

    def _open_again(self) -> None:
        self._is_open = False
        self._open()

    def _refused(self, code: int, text: str) -> None:
        if code in PASSING:
            logger.warning("the reply queue is declared again: %s", text)
            self._again(self._open_again)
            return
        self._failure = ConnectionFailure(f"broker {self._connection.address.display} refuses us: {text}", refused=True)
        self._ready.set()
        for action in list(self.on_refused):
            action(self._failure.text)

    def _lost(self, failure: ConnectionFailure) -> None:
        self._failure = failure
        self._is_open = False
        if self._was_ready and not failure.final:
            self._ready.clear()  # it comes back: the next request waits for that as long as it may
        else:
            self._ready.set()
        self._end_all(DriplineAMQPConnectionError(failure.text))

    def _blocked(self, reason: str) -> None:
        self._end_all(_takes_nothing(reason), _takes_nothing(reason, f"; {_ON_ITS_WAY}"))

    def _end_all(self, error: DriplineError, error_of_sent: DriplineError | None = None) -> None:
        for correlation_id in list(self._pending):
            pending = self._pending.pop(correlation_id, None)
            if pending is not None:
                pending.cancel()
                pending.on_reply(error_of_sent if error_of_sent is not None and pending.was_sent else error)

    def _on_outcome(self, pending: Pending, outcome: Outcome, reason: str) -> None:
        if outcome is Outcome.CONFIRMED or self._pending.pop(pending.correlation_id, None) is None:
            return
        if outcome is Outcome.RETURNED:
            pending.on_reply(ReplyMessage({"values": [NOT_DELIVERABLE]}, retcode=DriplineAMQPRoutingKeyError.retcode))
        elif outcome is Outcome.REFUSED:
            pending.on_reply(DriplineAMQPError(f"the broker refuses the request: {reason}"))
        else:
            pending.on_reply(DriplineAMQPConnectionError(reason))

    def _on_delivery(self, delivery: Delivery) -> None:
        correlation_id = str(delivery.correlation_id)
        pending = self._pending.get(correlation_id)
        if pending is None and correlation_id not in self._answered:
            logger.debug("a reply came that nobody waits for (any more): %s", correlation_id)
            return
        try:
            reply = self._decode(delivery.body, delivery.content_encoding)
        except DriplineError as err:
            if pending is not None:
                self._end(pending)
                pending.on_reply(err)
            return
        if not isinstance(reply, ReplyMessage):
            # Without its content, which may hold a lockout key.
            logger.warning("what came as a reply is none, and is ignored: %s of %s", type(reply).__name__, _who(reply))
        elif pending is None:
            self._answered_twice(correlation_id, reply)
        else:
            self._end(pending, reply)
            pending.on_reply(reply)

    def _end(self, pending: Pending, reply: ReplyMessage | None = None) -> None:
        """Wait no more for a request that has one reply, and remember who gave it."""
        if pending.many:
            return
        self._pending.pop(pending.correlation_id, None)
        if reply is not None:
            self._answered[pending.correlation_id] = pending.routing_key, reply
            if len(self._answered) > ANSWERED:
                self._answered.popitem(last=False)

    def _answered_twice(self, correlation_id: str, second: ReplyMessage) -> None:
        routing_key, first = self._answered.pop(correlation_id)
        if split(routing_key)[0] != BROADCAST:
            logger.warning(
                "%s was answered twice, by %s and by %s: two programs seem to serve it,"
                " and each may have done what was asked",
                routing_key,
                _who(first),
                _who(second),
            )


def is_returned(reply: ReplyMessage) -> bool:
    """Tell whether a reply is the broker's own word that nobody is bound for the request."""
    return reply.retcode == DriplineAMQPRoutingKeyError.retcode and not reply.service_name


def _who(message: Message) -> str:
    info = message.sender_info
    name = message.service_name or "a service without a name"
    return f"{name} ({info.get('username', 'somebody')} on {info.get('hostname', 'some host')})"[:_SHOWN]


_ON_ITS_WAY = "the request was on its way already, and whether it was done is not known"


def _takes_nothing(reason: str, more: str = "") -> DriplineAMQPConnectionError:
    # RabbitMQ's reason is "low on memory" or "low on disk".
    alarm = "disk" if "disk" in reason else "memory"
    return DriplineAMQPConnectionError(f"the broker refuses messages ({alarm} alarm){more}")

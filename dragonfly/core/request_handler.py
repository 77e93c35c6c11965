"""From a delivered message to its reply.

Rules:
1. `deliver` runs on the I/O thread: it decodes, finds the endpoint and puts the request on the endpoint's lane. What
   touches no device (ping) is answered at once and never waits for a lane.
2. Values are returned and errors raised up to here, and nowhere else do they become replies. Whatever arrives, the
   service goes on; whatever can be answered is answered.
3. A request is run at most once, and never when it is too late. A reply is never answered: two programs that answered
   each other's replies would do so for ever.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from dragonfly.core import codec, routing
from dragonfly.core.amqp.packet import Delivery, Outcome, Outgoing
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.constants import (
    BROADCAST,
    COMPLETED_SILENTLY,
    DEFAULT_TIMEOUT,
    OP_CMD,
    OPERATION_NAMES,
    PROBE_HEADER,
    REQUESTS,
)
from dragonfly.core.deadline import lateness
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineAMQPRoutingKeyError,
    DriplineBusyError,
    DriplineDecodingError,
    DriplineError,
    DriplineInternalError,
    DriplineMethodNotSupportedError,
    DriplinePayloadError,
    DriplineStoppingError,
    DriplineTimeoutError,
    DriplineUnhandledError,
    reply_fields,
)
from dragonfly.core.lane import Lane
from dragonfly.core.lockout import normalised_key
from dragonfly.core.message import Message, ReplyMessage, RequestMessage, sender_info

logger = logging.getLogger(__name__)

# What the caller did wrong is told to the caller: it must not hide the service's own faults from who looks after it.
_CALLERS_MISTAKES = (102, 301, 302, 303, 304, 306, 307, 308, 309)
_NO_VALUE = {"values": [None]}

COUNTERS = ("requests_ok", "requests_failed", "requests_expired", "requests_refused", "messages_undecodable")


class RequestHandler:
    """Answers the requests of one service.

    Args:
        name: the service's.
        routes: endpoint and lane by endpoint name.
        publisher: where replies go.
        clock_tolerance: how far a caller's clock may differ, s.
        max_message_size: of a request's body, bytes.
        max_json_depth: how many arrays and objects may stand in one another.
    """

    def __init__(
        self,
        name: str,
        routes: Mapping[str, tuple[Endpoint, Lane]],
        publisher: Publisher,
        *,
        clock_tolerance: float,
        max_message_size: int,
        max_json_depth: int,
    ) -> None:
        self._name = name
        self._routes = routes
        self._publisher = publisher
        self._clock_tolerance = clock_tolerance
        self._max_message_size = max_message_size
        self._max_json_depth = max_json_depth
        self._sender_info = sender_info(name)
        self._stopping = False
        self._counts = dict.fromkeys(COUNTERS, 0)
        self._counting = threading.Lock()

    @property
    def counts(self) -> dict[str, int]:
        """How many requests ended how, since the start."""
        return dict(self._counts)

    def stop(self, lanes: Iterable[Lane]) -> None:
        """Start nothing any more: what is waiting, and what comes, is answered that the service is shutting down."""
        self._stopping = True
        reason = self._shutting_down()
        for lane in lanes:
            lane.discard(reason)

    def deliver(self, delivery: Delivery) -> None:
        """Take a message that arrived; I/O thread."""
        logger.debug("%s got %s", delivery.routing_key, delivery.body)
        try:
            request = self._decoded(delivery)
            if request is not None:
                self._dispatch(_Job(self, delivery, request, *self._addressed(delivery.routing_key)))
        except DriplineError as err:
            self._failed(delivery, err)

    def execute(self, job: _Job) -> None:
        """Do what a request asks for and answer it; on its lane."""
        delivery = job.delivery
        try:
            late = self._lateness(delivery)
            if late is not None:
                self._failed(delivery, DriplineTimeoutError(f"{delivery.routing_key}: {late}"), "requests_expired")
                return
            result = job.endpoint.handle(job.request.msgop, job.specifier, job.args, job.kwargs)
            self._answer(delivery, result)
        except BaseException as err:  # noqa: BLE001 - here alone a handler's error, whatever it is, becomes a reply
            self._failed(delivery, err)

    def refuse(self, job: _Job, reason: DriplineError) -> None:
        """Answer a request whose turn does not come."""
        self._failed(job.delivery, reason)

    def _lateness(self, delivery: Delivery) -> str | None:
        waited = time.monotonic() - delivery.arrived
        return lateness(delivery.headers, delivery.expiration, waited, time.time(), self._clock_tolerance)

    def _decoded(self, delivery: Delivery) -> RequestMessage | None:
        if delivery.redelivered:
            raise DriplineInternalError("the broker delivered the request a second time: it was not started")
        if len(delivery.body) > self._max_message_size:
            raise DriplineDecodingError(
                f"the message has {len(delivery.body)} bytes, {self._name} takes {self._max_message_size}"
            )
        message = codec.decode(delivery.body, delivery.content_encoding, self._max_json_depth)
        if isinstance(message, RequestMessage):
            return message
        self._not_a_request(delivery, message)
        return None

    def _not_a_request(self, delivery: Delivery, message: Message) -> None:
        if not isinstance(message, ReplyMessage):
            raise DriplineMethodNotSupportedError(f"{self._name} takes requests, not a {type(message).__name__}")
        self._count("messages_undecodable")
        logger.warning("a reply came to %s, where requests are expected: it is ignored", delivery.routing_key)

    def _addressed(self, routing_key: str) -> tuple[Endpoint, Lane, str]:
        target, specifier = routing.split(routing_key)
        route = self._routes.get(self._name if target == BROADCAST else target)
        if route is None:
            raise DriplineAMQPRoutingKeyError(f"{self._name} has no endpoint {target[:80]!r}")
        if target == BROADCAST and specifier != "ping":
            raise DriplineMethodNotSupportedError(f"a broadcast of {specifier[:80]!r} is not supported")
        return *route, specifier

    def _dispatch(self, job: _Job) -> None:
        if job.request.lockout_key is not None:
            normalised_key(job.request.lockout_key)
        if self._stopping:
            raise self._shutting_down()
        if job.is_ping:
            # Answered here, without a word to the endpoint, whose class may do anything.
            self._answer(job.delivery, None)
            return
        job.lane.put(job.run, job.refused)

    def _shutting_down(self) -> DriplineStoppingError:
        return DriplineStoppingError(f"{self._name} is shutting down: the request was not started")

    def _answer(self, delivery: Delivery, result: Any) -> None:
        text = COMPLETED_SILENTLY if result is None else ""
        self._reply(delivery, ReplyMessage(result, return_msg=text, sender_info=self._sender_info))
        self._count("requests_ok", delivery)

    def _failed(self, delivery: Delivery, error: BaseException, counter: str | None = None) -> None:
        retcode, text, payload = _fields(error)
        if retcode in _CALLERS_MISTAKES:
            logger.info("%s refused (%s): %s", delivery.routing_key, retcode, text)
        elif isinstance(error, DriplineError):
            logger.error("%s failed (%s): %s", delivery.routing_key, retcode, text)
        else:
            logger.error("%s failed: %s%s", delivery.routing_key, text, _place(error))
            logger.debug("%s failed", delivery.routing_key, exc_info=error)
        self._count(counter or _counter(error), delivery)
        reply = ReplyMessage(payload, retcode=retcode, return_msg=text, sender_info=self._sender_info)
        try:
            self._reply(delivery, reply)
        except DriplineError:  # its payload cannot be carried either: the code and the text still can
            reply.payload = _NO_VALUE
            self._reply(delivery, reply)

    def _reply(self, delivery: Delivery, reply: ReplyMessage) -> None:
        if not delivery.reply_to:
            return
        logger.debug("reply to %s: %s %s %s", delivery.reply_to, reply.retcode, reply.return_msg, reply.payload)
        self._publisher.submit(
            Outgoing(
                REQUESTS,
                delivery.reply_to,
                codec.encode(reply),
                correlation_id=delivery.correlation_id,
                reply_to=delivery.reply_to,
                headers={PROBE_HEADER: True} if PROBE_HEADER in delivery.headers else None,
                keep=DEFAULT_TIMEOUT,
                done=partial(self._replied, delivery, reply),
            )
        )

    def _replied(self, delivery: Delivery, reply: ReplyMessage, outcome: Outcome, reason: str) -> None:
        if outcome is Outcome.REFUSED and reply.payload != _NO_VALUE:
            error = DriplinePayloadError(f"{delivery.routing_key}: the broker refuses the reply: {reason}")
            self._failed(delivery, error)

    def _count(self, counter: str, delivery: Delivery | None = None) -> None:
        if delivery is None or PROBE_HEADER not in delivery.headers:
            with self._counting:
                self._counts[counter] += 1


class _Job:
    """A request with its endpoint, ready to run."""

    __slots__ = ("_handler", "args", "delivery", "endpoint", "kwargs", "lane", "request", "specifier")

    def __init__(
        self,
        handler: RequestHandler,
        delivery: Delivery,
        request: RequestMessage,
        endpoint: Endpoint,
        lane: Lane,
        specifier: str,
    ) -> None:
        self._handler = handler
        self.delivery = delivery
        self.request = request
        self.endpoint = endpoint
        self.lane = lane
        self.specifier = specifier
        self.args, self.kwargs = _arguments(request)

    @property
    def is_ping(self) -> bool:
        """Whether the request only asks whether somebody is there; `cmd peaches ping` is `cmd peaches.ping`."""
        if self.request.msgop != OP_CMD or self.kwargs or type(self.endpoint).ping is not Endpoint.ping:
            return False
        return (self.specifier, self.args) in (("ping", []), ("", ["ping"]))

    def run(self) -> None:
        """Do it."""
        self._handler.execute(self)

    def refused(self, reason: DriplineError) -> None:
        """Answer that it will not be done."""
        self._handler.refuse(self, reason)


def _arguments(request: RequestMessage) -> tuple[list[Any], dict[str, Any]]:
    """Return the positional and the keyword arguments that a payload holds."""
    payload = request.payload
    operation = OPERATION_NAMES[request.msgop]
    if not isinstance(payload, dict):
        raise DriplinePayloadError(f"the payload of a {operation} is an object with 'values', not {payload!r:.80}")
    values = payload.get("values")
    if values is None:
        values = []
    if not isinstance(values, list):
        raise DriplinePayloadError(f"the payload's 'values' is a list, not {values!r:.80}")
    return values, {key: value for key, value in payload.items() if key != "values"}


def _fields(error: BaseException) -> tuple[int, str, Any]:
    try:
        return reply_fields(error)
    except Exception:  # noqa: BLE001 - an error of somebody's own class, whose text fails, is an error all the same
        return DriplineUnhandledError.retcode, type(error).__name__, None


def _place(error: BaseException) -> str:
    """Return where in somebody's class an error arose."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _counter(error: BaseException) -> str:
    if isinstance(error, (DriplineBusyError, DriplineStoppingError)):
        return "requests_refused"
    if isinstance(error, DriplineDecodingError):
        return "messages_undecodable"
    return "requests_failed"

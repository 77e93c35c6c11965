"""From a delivered message to its reply.

Rules:
1. `deliver` runs on the I/O thread: it decodes, finds the endpoint and puts the request on the endpoint's lane. A ping
   is answered at once. What touches no device (describe, lock_status, a forced unlock, statistics) goes to the desk, a
   thread of its own, and never waits for a lane.
2. Values are returned and errors raised up to here, and nowhere else do they become replies. Whatever arrives, the
   service goes on; whatever can be answered is answered.
3. A request is run at most once, and never when it is too late. A reply is never answered: two programs that answered
   each other's replies would do so for ever.
4. A broadcast is for the service itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial

from dragonfly.core import codec, routing
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.constants import BROADCAST
from dragonfly.core.deadline import lateness
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineAMQPRoutingKeyError,
    DriplineError,
    DriplineInternalError,
    DriplineMethodNotSupportedError,
    DriplineStoppingError,
    DriplineTimeoutError,
    is_remark,
)
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.masking import masked_text
from dragonfly.core.message import Message, ReplyMessage, RequestMessage
from dragonfly.core.replier import Replier
from dragonfly.core.request_job import Job, attempt

logger = logging.getLogger(__name__)

COUNTERS = ("requests_ok", "requests_failed", "requests_expired", "requests_refused", "messages_undecodable")


class RequestHandler:
    """Answers the requests of one service.

    Args:
        name: the service's.
        routes: endpoint and lane by endpoint name.
        replier: makes and sends the replies.
        clock_tolerance: how far a caller's clock may differ, s.
        max_message_size: of a request's body, bytes.
        max_json_depth: how many arrays and objects may stand in one another.
    """

    def __init__(
        self,
        name: str,
        routes: Mapping[str, tuple[Endpoint, Lane]],
        replier: Replier,
        *,
        clock_tolerance: float,
        max_message_size: int,
        max_json_depth: int,
    ) -> None:
        self._name = name
        self._routes = routes
        self._replier = replier
        self._clock_tolerance = clock_tolerance
        self._max_message_size = max_message_size
        self._max_json_depth = max_json_depth
        self._desk_pool = LanePool(f"{name} desk", 1)
        self._desk = Lane(f"{name} desk", self._desk_pool)
        self._stopping = False

    def stop(self, lanes: Iterable[Lane]) -> None:
        """Start nothing any more: what is waiting, and what comes, is answered that the service is shutting down."""
        self._stopping = True
        reason = self._shutting_down()
        for lane in (*lanes, self._desk):
            lane.discard(reason)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to do at the desk."""
        return self._desk.is_idle

    def close(self, timeout: float) -> None:
        """Close the desk; wait for its thread at most `timeout` s."""
        self._desk_pool.stop(timeout)

    def deliver(self, delivery: Delivery) -> None:
        """Take a message that arrived; I/O thread."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s got %s", delivery.routing_key, masked_text(delivery.routing_key, delivery.body))
        request = None
        try:
            request = self._decoded(delivery)
            if request is not None:
                self._check_first(delivery)
                self._dispatch(Job(delivery, request, *self._addressed(delivery.routing_key)))
        except DriplineError as err:
            self._replier.fail(delivery, err, request)

    def execute(self, job: Job) -> None:
        """Do what a request asks for and answer it; on its lane."""
        delivery, request = job.delivery, job.request
        late = self._lateness(delivery)
        if late is not None:
            reason = DriplineTimeoutError(f"{delivery.routing_key}: {late}")
            self._replier.fail(delivery, reason, request, "requests_expired")
            return
        result, error = attempt(job.endpoint, request.msgop, job.specifier, job.args, job.kwargs, job.origin)
        if error is None:
            self._replier.answer(delivery, request, result)
        elif is_remark(error):
            self._replier.remark(delivery, request, error)
        else:
            self._replier.fail(delivery, error, request)

    def refuse(self, job: Job, reason: DriplineError) -> None:
        """Answer a request whose turn does not come."""
        self._replier.fail(job.delivery, reason, job.request)

    def _lateness(self, delivery: Delivery) -> str | None:
        waited = time.monotonic() - delivery.arrived
        return lateness(delivery.headers, delivery.expiration, waited, time.time(), self._clock_tolerance)

    def _decoded(self, delivery: Delivery) -> RequestMessage | None:
        message = codec.decode(delivery.body, delivery.content_encoding, self._max_json_depth, self._max_message_size)
        if isinstance(message, RequestMessage):
            return message
        self._not_a_request(delivery, message)
        return None

    def _check_first(self, delivery: Delivery) -> None:
        if delivery.redelivered:
            raise DriplineInternalError("the broker delivered the request a second time: it was not started")

    def _not_a_request(self, delivery: Delivery, message: Message) -> None:
        if not isinstance(message, ReplyMessage):
            raise DriplineMethodNotSupportedError(f"{self._name} takes requests, not a {type(message).__name__}")
        self._replier.ignore(delivery)
        logger.warning("a reply came to %s, where requests are expected: it is ignored", delivery.routing_key)

    def _addressed(self, routing_key: str) -> tuple[Endpoint, Lane, str]:
        target, specifier = routing.split(routing_key)
        route = self._routes.get(self._name if target == BROADCAST else target)
        if route is None:
            raise DriplineAMQPRoutingKeyError(f"{self._name} has no endpoint {target[:80]!r}")
        return *route, specifier

    def _dispatch(self, job: Job) -> None:
        if self._stopping:
            raise self._shutting_down()
        if job.is_ping:
            # Answered here, without a word to the endpoint, whose class may do anything.
            self._replier.answer(job.delivery, job.request, None)
            return
        lane = self._desk if job.is_for_the_desk else job.lane
        lane.put(partial(self.execute, job), partial(self.refuse, job))

    def _shutting_down(self) -> DriplineStoppingError:
        return DriplineStoppingError(f"{self._name} is shutting down: the request was not started")

"""From what a request came to, a value or an error, to its reply."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from dragonfly.core import codec
from dragonfly.core.amqp.packet import Delivery, Outcome, Outgoing
from dragonfly.core.amqp.reply_publisher import ReplyPublisher
from dragonfly.core.audit import Audit
from dragonfly.core.constants import COMPLETED_SILENTLY, DEFAULT_TIMEOUT, PROBE_HEADER, REQUESTS
from dragonfly.core.counters import Counters
from dragonfly.core.exceptions import (
    DriplineBusyError,
    DriplineDecodingError,
    DriplineError,
    DriplinePayloadError,
    DriplineStoppingError,
    place_of,
    reply_fields,
)
from dragonfly.core.masking import masked_text
from dragonfly.core.message import ReplyMessage, RequestMessage, sender_info

# What these lines say is part of handling a request, whatever file they stand in.
logger = logging.getLogger("dragonfly.core.request_handler")

# What the caller did wrong is told to the caller: it must not hide the service's own faults from who looks after it.
_CALLERS_MISTAKES = (102, 301, 302, 303, 304, 306, 307, 308, 309)
_NO_VALUE = {"values": [None]}


class Replier:
    """Answers the requests of one service, counts them, and has them audited.

    Args:
        name: the service's.
        publisher: where replies go.
        counts: its counters requests_... and messages_undecodable.
        audit: gets each request that was understood.
    """

    def __init__(self, name: str, publisher: ReplyPublisher, counts: Counters, audit: Audit) -> None:
        self._publisher = publisher
        self._counts = counts
        self._audit = audit
        self._sender_info = sender_info(name)
        self._encoder = codec.SenderEncoder(self._sender_info)

    def answer(self, delivery: Delivery, request: RequestMessage, result: Any) -> None:
        """Reply with a value; where JSON cannot carry it, with an error."""
        self._succeed(delivery, request, 0, COMPLETED_SILENTLY if result is None else "", result)

    def remark(self, delivery: Delivery, request: RequestMessage, warning: BaseException) -> None:
        """Reply that it succeeded, with a remark; where its value cannot be carried, with an error."""
        self._succeed(delivery, request, *reply_fields(warning))

    def fail(
        self,
        delivery: Delivery,
        error: BaseException,
        request: RequestMessage | None = None,
        counter: str | None = None,
    ) -> None:
        """Reply with an error.

        Args:
            delivery: the message as it came.
            error: what went wrong.
            request: the decoded message, where it could be decoded.
            counter: what counts it; by default the error tells.
        """
        retcode, text, payload = reply_fields(error)
        _log(delivery, error, retcode, text)
        reply = ReplyMessage(payload, retcode=retcode, return_msg=text, sender_info=self._sender_info)
        try:
            outgoing = self._outgoing(delivery, reply)
        except Exception:  # noqa: BLE001 - its payload cannot be carried either: the code and the text still can
            reply.payload = _NO_VALUE
            outgoing = self._outgoing(delivery, reply)
        self._record(delivery, request, retcode)
        self._send(delivery, outgoing, counter or _counter(error))

    def ignore(self, delivery: Delivery) -> None:
        """Count a message that is none for us, and that nobody expects an answer to."""
        self._count("messages_undecodable", delivery)

    def _succeed(self, delivery: Delivery, request: RequestMessage, retcode: int, text: str, result: Any) -> None:
        reply = ReplyMessage(result, retcode=retcode, return_msg=text, sender_info=self._sender_info)
        try:
            outgoing = self._outgoing(delivery, reply)
        except Exception as err:  # noqa: BLE001 - what a class of one's own returns may do anything when it is read
            self.fail(delivery, err, request)
            return
        self._record(delivery, request, retcode)
        self._send(delivery, outgoing, "requests_ok")

    def _record(self, delivery: Delivery, request: RequestMessage | None, retcode: int) -> None:
        if request is not None and PROBE_HEADER not in delivery.headers:
            self._audit.record(delivery.routing_key, request, retcode)

    def _outgoing(self, delivery: Delivery, reply: ReplyMessage) -> Outgoing | None:
        """Return the message that a reply is; None where nobody wants one."""
        if not delivery.reply_to:
            return None
        body = self._encoder.encode(reply)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("reply to %s: %s", delivery.reply_to, masked_text(delivery.routing_key, body))
        return Outgoing(
            REQUESTS,
            delivery.reply_to,
            body,
            correlation_id=delivery.correlation_id,
            reply_to=delivery.reply_to,
            headers={PROBE_HEADER: True} if PROBE_HEADER in delivery.headers else None,
            keep=_patience(delivery),
            done=partial(self._replied, delivery, reply),
        )

    def _send(self, delivery: Delivery, outgoing: Outgoing | None, counter: str) -> None:
        # Counted and recorded first: who has the answer finds it in the statistics, and in the audit.
        self._count(counter, delivery)
        if outgoing is not None:
            self._publisher.submit(outgoing)

    def _replied(self, delivery: Delivery, reply: ReplyMessage, outcome: Outcome, reason: str) -> None:
        if outcome is not Outcome.REFUSED:
            return
        if reply.payload == _NO_VALUE:  # the smallest reply that there is
            logger.error("the broker refused the reply to %s: %s", delivery.routing_key, reason)
        else:
            self.fail(delivery, DriplinePayloadError(f"{delivery.routing_key}: the broker refuses the reply: {reason}"))

    def _count(self, counter: str, delivery: Delivery) -> None:
        if PROBE_HEADER not in delivery.headers:
            self._counts.add(counter)


def _patience(delivery: Delivery) -> float:
    """Return how long the caller waits for the reply at most, s."""
    expiration = delivery.expiration or ""
    seconds = int(expiration) / 1000 if expiration.isascii() and expiration.isdigit() and len(expiration) < 11 else 0.0
    return max(DEFAULT_TIMEOUT, seconds)


def _log(delivery: Delivery, error: BaseException, retcode: int, text: str) -> None:
    if retcode in _CALLERS_MISTAKES:
        logger.info("%s refused (%s): %s", delivery.routing_key, retcode, text)
    elif isinstance(error, DriplineError):
        logger.error("%s failed (%s): %s", delivery.routing_key, retcode, text)
    else:
        logger.error("%s failed: %s%s", delivery.routing_key, text, place_of(error))
        logger.debug("%s failed", delivery.routing_key, exc_info=error)


def _counter(error: BaseException) -> str:
    if isinstance(error, (DriplineBusyError, DriplineStoppingError)):
        return "requests_refused"
    if isinstance(error, DriplineDecodingError):
        return "messages_undecodable"
    return "requests_failed"

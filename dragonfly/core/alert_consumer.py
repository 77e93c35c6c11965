"""AlertConsumer: a service that also listens on the alerts exchange."""

from __future__ import annotations

import logging
from typing import Any, ClassVar, NamedTuple

from dragonfly.core.alert_queue import AlertQueue
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.exceptions import (
    DriplineBusyError,
    DriplineDecodingError,
    DriplineError,
    DriplineValueError,
    ServiceStartError,
    place_of,
    reply_fields,
)
from dragonfly.core.masking import masked_text
from dragonfly.core.message import AlertMessage
from dragonfly.core.routing import checked_key
from dragonfly.core.service import Service
from dragonfly.core.service_life import POOL_SECONDS
from dragonfly.core.service_presence import Presence, Wire

logger = logging.getLogger(__name__)


class AlertMethod(NamedTuple):
    """How an alert came.

    Args:
        exchange: the alerts exchange.
        routing_key: what it was sent with, such as `sensor_value.peaches`.
        redelivered: whether the broker may have delivered it before.
        message_id: the same each time that the alert comes; None where the sender gave none, as the original's do.
    """

    exchange: str
    routing_key: str
    redelivered: bool
    message_id: str | None


class AlertConsumer(Service):
    """A service that also takes alerts; in YAML files also named Gogol.

    A class of one's own overrides `this_consume`, which gets one alert after another, in the order in which they came,
    on a thread of its own. Requests are served as by any service.

    Without `queue`, alerts come while the service runs, and one that does not keep up loses the oldest. With it, they
    wait in a durable queue on the broker, and each is acknowledged when `this_consume` has returned: it comes at least
    once, and may come again after a crash. Who stores `method.message_id` beside the data, under a unique key, has each
    once. Several services may share one such queue; then each alert goes to one of them.

    Further Keyword Args:
        keys (str||list): binding keys: which alerts are wanted, '*' being one word and '#' any number; '#' by default
        queue (str): name of the durable queue, which is made where there is none; by default there is none. Needs RabbitMQ

    Raises:
        DriplineValueError: a key's value is not acceptable, or the class does not say what it does with an alert.
    """  # noqa: E501

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"this_consume"})

    def __init__(self, keys: str | list[str] = "#", queue: str | None = None, **kwargs: Any) -> None:
        super().__init__(keys=keys, **kwargs)
        if type(self).this_consume is AlertConsumer.this_consume:
            raise DriplineValueError(f"{self.name}: {type(self).__name__} needs a method this_consume(message, method)")
        self._binding_keys = _checked_keys(keys)
        self._durable_queue = None if queue is None else _checked_queue(queue, self.name)
        self._alert_queue: AlertQueue | None = None
        self._waits = False

    def this_consume(self, message: AlertMessage, method: AlertMethod) -> None:
        """Handle an alert; what is raised is logged and counted, and the next one comes.

        Args:
            message: the alert; `message.payload` is what was said, `message.timestamp` when, in UTC.
            method: how it came.

        Raises:
            DriplineBusyError: to be told by a class that cannot store anything now, such as while a disk is full: the
                same alert comes again after a while, and the others wait behind it.
        """
        raise NotImplementedError

    def _no_keys_wanted(self) -> None:
        """Say nothing: here, keys are wanted."""

    def _join(self, wire: Wire, presence: Presence) -> None:
        name = self._durable_queue or f"{self.name}.alerts"
        self._alert_queue = AlertQueue(
            wire, name, self._binding_keys, self._durable_queue is not None, self._take_alert, self._life.on_failed
        )
        # So that whoever looks at the service's lanes, and waits for them, does so for this one.
        presence.lanes.append(self._alert_queue.lane)
        super()._join(wire, presence)

    def _leave(self, presence: Presence) -> None:
        if self._alert_queue is not None:
            self._alert_queue.stop_consuming()
        super()._leave(presence)
        if self._alert_queue is not None:
            self._alert_queue.stop_thread(POOL_SECONDS)

    def _on_bound(self) -> None:
        # The name comes first: a second service of it must take no alert before it learns that it is one.
        if self._alert_queue is None or self._alert_queue.is_open:
            super()._on_bound()
        else:
            self._alert_queue.open(super()._on_bound)

    def _on_down(self, failure: ConnectionFailure) -> None:
        if self._alert_queue is None or not self._alert_queue.is_refused(failure):
            super()._on_down(failure)
        elif self._life.failure is None:
            text = f"{self.name} cannot have its durable queue {self._durable_queue}: {failure.text}"
            self._life.fail(ServiceStartError(text))

    def _take_alert(self, delivery: Delivery) -> bool:
        """Handle an alert; return whether that is done with, or is to be tried again."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("alert %s: %s", delivery.routing_key, masked_text(delivery.routing_key, delivery.body))
        method = AlertMethod(delivery.exchange, delivery.routing_key, delivery.redelivered, delivery.message_id)
        try:
            message = self._decoded_alert(delivery)
        except DriplineError as err:
            logger.error("%s: the alert %s cannot be read: %s", self.name, method.routing_key, err)
            self._life.counts.add("messages_undecodable")
            return True
        try:
            self.this_consume(message, method)
        except DriplineBusyError as err:
            self._alert_waits(method, err)
            return False
        except BaseException as err:  # noqa: BLE001 - whatever one alert does to its handler, the next one comes
            self._alert_failed(method, err)
        if self._waits:
            self._waits = False
            logger.warning("%s handles alerts again", self.name)
        return True

    def _decoded_alert(self, delivery: Delivery) -> AlertMessage:
        message = self._settings.decode(delivery.body, delivery.content_encoding)
        if not isinstance(message, AlertMessage):
            raise DriplineDecodingError(f"it is a {type(message).__name__}")
        return message

    def _alert_waits(self, method: AlertMethod, error: DriplineBusyError) -> None:
        # Said once: each further try fails for the same reason, for as long as it lasts.
        level = logging.DEBUG if self._waits else logging.CRITICAL
        self._waits = True
        logger.log(level, "%s cannot take the alert %s now, and tries again: %s", self.name, method.routing_key, error)

    def _alert_failed(self, method: AlertMethod, error: BaseException) -> None:
        self._life.counts.add("alerts_failed")
        _, text, _ = reply_fields(error)
        logger.error("%s failed on the alert %s: %s%s", self.name, method.routing_key, text, place_of(error))
        logger.debug("%s failed", self.name, exc_info=error)


def _checked_keys(keys: object) -> list[str]:
    """Return binding keys, each once.

    Raises:
        DriplineValueError: there is none, or one is no text that AMQP can carry.
    """
    listed = keys if isinstance(keys, list) else [keys]
    if not listed or not all(isinstance(key, str) for key in listed):
        raise DriplineValueError(f"keys must be a binding key or a list of some, not {keys!r}")
    return [checked_key(key) for key in dict.fromkeys(listed)]


def _checked_queue(queue: object, service: str) -> str:
    """Return the name of a durable queue.

    Raises:
        DriplineValueError: it is no text that AMQP can carry, or the name of a queue that is not ours to make.
    """
    if not isinstance(queue, str) or not queue:
        raise DriplineValueError(f"queue must be the name of a queue, not {queue!r}")
    if queue == service or queue.startswith("amq."):
        raise DriplineValueError(f"queue must not be {queue!r}: the service's requests, or the broker, use that name")
    return checked_key(queue)

"""Service: the top of an object tree, which puts it on the mesh."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import uuid4

from dragonfly.core import codec
from dragonfly.core.amqp.connection import DEFAULT_HEARTBEAT
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.outgoing_channel import DEFAULT_BACKLOG
from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.broker_address import Broker
from dragonfly.core.call_runner import problems_of
from dragonfly.core.caller import Caller
from dragonfly.core.calls import Call
from dragonfly.core.codec import DEFAULT_MAX_DEPTH, DEFAULT_MAX_MESSAGE_SIZE
from dragonfly.core.conditions import set_conditions
from dragonfly.core.constants import ALERTS, DEFAULT_TIMEOUT
from dragonfly.core.exceptions import DriplineInternalError, DriplineOwnLaneError
from dragonfly.core.lane import DEFAULT_MAX_THREADS, Lane
from dragonfly.core.lane_timer import Clock, call_later
from dragonfly.core.message import AlertMessage, ReplyMessage, sender_info
from dragonfly.core.provider import Provider
from dragonfly.core.routing import split
from dragonfly.core.service_life import ServiceLife
from dragonfly.core.service_presence import Presence, Wire
from dragonfly.core.service_settings import (
    DEFAULT_ALERT_BUFFER_AGE,
    ServiceSettings,
    checked_settings,
)
from dragonfly.core.timer import Timer

logger = logging.getLogger(__name__)

# How long the endpoints that are told a condition may take, s: whoever tells it waits for DEFAULT_TIMEOUT.
_CONDITION_SECONDS = 5.0


class Service(Provider):
    """A tree of providers and endpoints on the mesh; in YAML files also named Spimescape.

    Each top-level endpoint has a lane, which its whole subtree shares: requests on one lane run one after another,
    different lanes do not wait for each other.

    Further Keyword Args:
        broker (str||list): HOST, HOST:PORT or AMQP URL of the broker, or several to try in turn; localhost by default
        keys (str||list): binding keys of an alert consumer; a plain service listens to its endpoints only
        heartbeat (int): interval of the AMQP heartbeat in seconds; 10 by default
        heartbeat_interval (float): interval of the alerts heartbeat.NAME in seconds; 0, the default, is never
        clock_tolerance (float): how far a caller's clock may differ from ours in seconds; 1 by default
        max_threads (int): how many lanes may work at the same time, a count; 256 by default
        stop_timeout (float): how long a stop waits for requests that run, in seconds; 10 by default
        max_message_size (int): largest message that is read in bytes; 16 MiB by default
        max_json_depth (int): how many arrays and objects of a message may stand in one another, a count; 64 by default
        alert_buffer (int): how many alerts are kept while the broker is away, a count; 10,000 by default
        alert_buffer_age (float): how long an alert is kept while the broker is away, in seconds; 600 by default
        setup_calls (list): calls with target, method, args and kwargs, run once when the service is on the mesh
        setup_calls_required (bool): whether the service ends where one of setup_calls fails; false by default
        shutdown_calls (list): calls like setup_calls, run when the service stops
        on_broker_lost (dict): after, in seconds, and calls, run when the mesh has been away that long
        audit_log (str): file that gets each set, cmd, run and send as a line of JSON; none by default
        status_alerts (bool): whether warnings and errors of the log go out as alerts, too; false by default
        slack_channel (str): Slack channel for critical records of the log, such as "#alarms"; none by default

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset(
        {"call_problems", "clock", "connect", "run", "request_stop", "send_alert", "call_later", "monotonic"}
        | {"request", "settings", "use_timer"}
    )

    def __init__(
        self,
        broker: Broker = None,
        keys: str | list[str] | None = None,
        heartbeat: float = DEFAULT_HEARTBEAT,
        heartbeat_interval: float = 0.0,
        clock_tolerance: float = 1.0,
        max_threads: int = DEFAULT_MAX_THREADS,
        stop_timeout: float = 10.0,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        max_json_depth: int = DEFAULT_MAX_DEPTH,
        alert_buffer: int = DEFAULT_BACKLOG,
        alert_buffer_age: float = DEFAULT_ALERT_BUFFER_AGE,
        setup_calls: Any = None,
        setup_calls_required: bool = False,
        shutdown_calls: Any = None,
        on_broker_lost: Any = None,
        audit_log: str | None = None,
        status_alerts: bool = False,
        slack_channel: str = "",
        **kwargs: Any,
    ) -> None:
        # Each parameter but these is a setting, under its own name.
        self._settings = checked_settings(locals())
        super().__init__(**kwargs)
        self._keys = keys
        self._sender_info = sender_info(self.name)
        self._encoder = codec.SenderEncoder(self._sender_info)
        self.clock: Clock = Timer()
        self._life = ServiceLife(self, self._settings)

    @property
    def service(self) -> Service:
        """This service."""
        return self

    @property
    def settings(self) -> ServiceSettings:
        """The keys of this service, checked."""
        return self._settings

    @property
    def statistics(self) -> dict[str, Any]:
        """What this service has done since its start, and what it is busy with."""
        return self._life.statistics()

    def call_problems(self) -> list[tuple[Call, str]]:
        """Return the calls of the file whose target is not in the tree, which must be complete, or cannot do that."""
        return problems_of(self._settings.calls, {endpoint.name: endpoint for endpoint in self.subtree()})

    def use_timer(self, timer: Clock) -> None:
        """Count time with another clock than one of its own, such as one that a test moves; before the start."""
        self.clock = timer

    def connect(self) -> Wire:
        """Start to connect to the broker; what comes next does not wait for it.

        Raises:
            ServiceStartError: the service was stopped; it starts once.
        """
        return self._life.connect()

    def start(self) -> None:
        """Bring all endpoints onto the mesh; returns when requests flow, or when a stop was requested meanwhile.

        Raises:
            DriplineAMQPConnectionError: the broker refuses us.
            ServiceStartError: a name is served by somebody else, the broker does not allow the queue, a required
                set-up call failed, or the service was started before.
            DriplineValueError: two endpoints have one name.
        """
        self._life.start()

    def run(self) -> None:
        """Serve until `request_stop` or `stop` is called, or until the service cannot go on.

        Raises:
            DriplineAMQPConnectionError: the broker refuses us.
            ServiceStartError: as `start` says.
        """
        self._life.run()

    def request_stop(self) -> None:
        """Make `run` return; safe in a signal handler. A second call makes it wait for no handler.

        Raises:
            KeyboardInterrupt: a second signal interrupts the thread that is just starting an endpoint.
        """
        self._life.request_stop()

    def stop(self) -> None:
        """Leave the mesh in order: refuse what comes, let finish what runs, flush what is to be sent.

        Any thread but a handler's; a second call does nothing.
        """
        self._life.stop()

    def send_alert(self, routing_key: str, payload: Any) -> None:
        """Tell everybody who listens to a key of the alerts exchange; any thread.

        It is kept while the broker is away, and sent again with the same message_id until the broker confirms it.

        Raises:
            DriplinePayloadError: the payload cannot be carried by JSON.
            DriplineValueError: the routing key is longer than AMQP can carry.
        """
        alert = Outgoing(
            ALERTS,
            routing_key,
            self._encoder.encode(AlertMessage(payload, sender_info=self._sender_info)),
            message_id=str(uuid4()),
            persistent=True,
            mandatory=True,
            keep=self._settings.alert_buffer_age,
            resend=True,
        )
        wire = self._life.wire
        if wire is None:
            logger.warning("%s is not on a mesh: nobody gets its alert %s", self.name, routing_key)
        else:
            wire.publisher.submit(alert)

    def monotonic(self) -> float:
        """Return the time by which `call_later` counts, s."""
        return self.clock.now()

    def call_later(self, seconds: float, action: Callable[[], None], *, endpoint: Any = None) -> Callable[[], None]:
        """Do something after a time, on a lane; any thread.

        Args:
            seconds: how long to wait, s.
            action: what to do.
            endpoint: whose lane does it; by default that of the handler that calls, or the service's own.

        Returns:
            What to call in order to cancel it.

        Raises:
            DriplineInternalError: the service has not been started.
        """
        lane = Lane.current() if endpoint is None else self._life.lane_of(endpoint.name)
        return call_later(self.clock, seconds, action, lane or self._life.lane_of(self.name))

    def request(
        self,
        target: str,
        operation: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
    ) -> ReplyMessage:
        """Send a request to any endpoint of the mesh and return its reply; not from the I/O thread.

        Args:
            target: endpoint, or endpoint and specifier.
            operation: one of the constants OP_...
            payload: `{"values": [...]}` and further keys.
            timeout: how long to wait for the reply, s; 10 by default.
            lockout_key: key of a locked endpoint.

        Raises:
            DriplineError: the one that the reply's return code stands for; DriplineOwnLaneError where the target is on
                the lane of the handler that asks.
        """
        wire = self._life.wire
        if wire is None:
            raise DriplineInternalError(f"{self.name} is not on a mesh, and cannot ask for {target}")
        own = Lane.current()
        if own is not None and own is self._life.routes.get(split(target)[0], (None, None))[1]:
            raise DriplineOwnLaneError(
                f"{target} is on the lane {own.name} of the handler that asks, which would wait for itself: call the"
                " object instead"
            )
        caller = Caller(wire.connection, wire.requester, DEFAULT_TIMEOUT)
        return caller.request(target, operation, payload, timeout, lockout_key)

    def set_condition(self, condition: int) -> dict[str, Any] | None:
        """Tell all endpoints that have `on_set_condition` a condition of the laboratory, and return their answers.

        Args:
            condition: its number.

        Raises:
            DriplineValueError: it is no whole number.
        """
        return set_conditions(self._life.routes, condition, time.monotonic() + _CONDITION_SECONDS) or None

    def _no_keys_wanted(self) -> None:
        if self._keys is not None:
            logger.info("%s listens to its endpoints only: keys are for alert consumers", self.name)

    # What a service that listens to more than requests adds to.

    def _join(self, wire: Wire, presence: Presence) -> None:
        self._no_keys_wanted()
        wire.connection.call(presence.binding.begin)

    def _leave(self, presence: Presence) -> None:
        self._life.leave(presence)

    def _on_bound(self) -> None:
        self._life.on_bound()

    def _on_down(self, failure: ConnectionFailure) -> None:
        self._life.on_down(failure)

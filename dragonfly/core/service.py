"""Service: the top of an object tree, which puts it on the mesh."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import uuid4

from dragonfly.core import codec
from dragonfly.core.amqp.connection import DEFAULT_HEARTBEAT
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.amqp.publisher import DEFAULT_BACKLOG
from dragonfly.core.codec import DEFAULT_MAX_DEPTH
from dragonfly.core.constants import ALERTS, LEVEL_NOTICE
from dragonfly.core.credentials import parsed_address
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError, ServiceStartError
from dragonfly.core.lane import DEFAULT_MAX_THREADS, LanePool
from dragonfly.core.message import AlertMessage, sender_info
from dragonfly.core.numbers import checked_number, checked_whole
from dragonfly.core.provider import Provider
from dragonfly.core.request_handler import RequestHandler
from dragonfly.core.service_presence import Presence, Wire, routes_of, tree_of

logger = logging.getLogger(__name__)

DEFAULT_MAX_MESSAGE_SIZE = 16 * 1024 * 1024
DEFAULT_ALERT_BUFFER_AGE = 600.0
# How long a stop waits for idle threads to end, s.
POOL_SECONDS = 2.0


class Service(Provider):
    """A tree of providers and endpoints on the mesh; in YAML files also named Spimescape.

    Each top-level endpoint has a lane, which its whole subtree shares: requests on one lane run one after another,
    different lanes do not wait for each other.

    Further Keyword Args:
        broker (str): HOST, HOST:PORT or AMQP URL of the broker; localhost by default
        keys (str||list): binding keys of an alert consumer; a plain service listens to its endpoints only
        heartbeat (float): interval of the AMQP heartbeat in seconds; 10 by default
        clock_tolerance (float): how far a caller's clock may differ from ours in seconds; 1 by default
        max_threads (int): how many lanes may work at the same time; 256 by default
        stop_timeout (float): how long a stop waits for requests that run, in seconds; 10 by default
        max_message_size (int): largest request in bytes; 16 MiB by default
        max_json_depth (int): how many arrays and objects of a request may stand in one another; 64 by default
        alert_buffer (int): how many alerts are kept while the broker is away; 10,000 by default
        alert_buffer_age (float): how long an alert is kept while the broker is away, in seconds; 600 by default

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"connect", "run", "request_stop", "send_alert"})

    def __init__(
        self,
        broker: str | None = None,
        keys: str | list[str] | None = None,
        heartbeat: float = DEFAULT_HEARTBEAT,
        clock_tolerance: float = 1.0,
        max_threads: int = DEFAULT_MAX_THREADS,
        stop_timeout: float = 10.0,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        max_json_depth: int = DEFAULT_MAX_DEPTH,
        alert_buffer: int = DEFAULT_BACKLOG,
        alert_buffer_age: float = DEFAULT_ALERT_BUFFER_AGE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        parsed_address(broker)
        self._broker = broker
        self._keys = keys
        # AMQP's own limit for a heartbeat is 16 bits.
        self._heartbeat = checked_whole("heartbeat", heartbeat, 1, 65_535, "seconds")
        self._clock_tolerance = checked_number("clock_tolerance", clock_tolerance, 0, "seconds")
        self._stop_timeout = checked_number("stop_timeout", stop_timeout, 0, "seconds")
        self._max_message_size = checked_whole("max_message_size", max_message_size, 1, unit="bytes")
        self._max_json_depth = checked_whole("max_json_depth", max_json_depth, 2)
        self._alert_buffer = checked_whole("alert_buffer", alert_buffer, 0)
        self._alert_buffer_age = float(checked_number("alert_buffer_age", alert_buffer_age, 0, "seconds"))
        self._pool = LanePool(self.name, checked_whole("max_threads", max_threads, 1))
        self._sender_info = sender_info(self.name)
        self._wire: Wire | None = None
        self._presence: Presence | None = None
        self._bound = threading.Event()
        # Set when something happened that whoever waits in `start` or `run` must look at.
        self._wake = threading.Event()
        self._stops_asked = 0
        self._failure: Exception | None = None
        self._stopping = threading.Lock()
        self._was_stopped = False
        self._broker_missed = False

    @property
    def service(self) -> Service:
        """This service."""
        return self

    def connect(self) -> Wire:
        """Start to connect to the broker; what comes next does not wait for it.

        Raises:
            ServiceStartError: the service was stopped; it starts once.
        """
        with self._stopping:
            if self._was_stopped:
                raise ServiceStartError(f"{self.name} was stopped, and starts once")
            if self._wire is None:
                self._wire = self._wired()
                self._wire.connection.start()
            return self._wire

    def start(self) -> None:
        """Bring all endpoints onto the mesh; returns when requests flow, or when a stop was requested meanwhile.

        Raises:
            DriplineAMQPConnectionError: the broker refuses us.
            ServiceStartError: a name is served by somebody else, the broker does not allow the queue, or the service
                was started before.
            DriplineValueError: two endpoints have one name.
        """
        wire = self.connect()
        if self._presence is not None:
            raise ServiceStartError(f"{self.name} was started before, and starts once")
        self._presence = presence = self._present(wire)
        if self._keys is not None:
            logger.info("%s listens to its endpoints only: keys are for alert consumers", self.name)
        for endpoint in tree_of(self):
            _hook(endpoint, "started", endpoint.start)
        logger.info("Configuration of %s complete, starting consumption", self.name)
        wire.connection.call(presence.binding.begin)
        self._wake.wait()
        if self._failure is not None:
            raise self._failure

    def run(self) -> None:
        """Serve until `request_stop` or `stop` is called, or until the service cannot go on.

        Raises:
            DriplineAMQPConnectionError: the broker refuses us.
            ServiceStartError: as `start` says.
        """
        try:
            self.start()
            while not self._is_over():
                self._wake.clear()
                # Looked at once more after the clear: a signal may have come in between.
                if not self._is_over():
                    self._wake.wait()
        finally:
            self.stop()
        if self._failure is not None:
            raise self._failure

    def request_stop(self) -> None:
        """Make `run` return; safe in a signal handler. A second call makes it wait for no handler."""
        self._stops_asked += 1
        self._wake.set()

    def stop(self) -> None:
        """Leave the mesh in order: refuse what comes, let finish what runs, flush what is to be sent.

        Any thread but a handler's; a second call does nothing.
        """
        with self._stopping:
            if self._was_stopped:
                return
            self._was_stopped = True
            self._wake.set()
            if self._wire is None:
                return
            logger.info("stopping %s", self.name)
            if self._presence is not None:
                if self._bound.is_set():
                    self._leave(self._presence)
                for endpoint in reversed(list(tree_of(self))):
                    _hook(endpoint, "stopped", endpoint.stop)
            self._wire.connection.stop()
            logger.info("%s has stopped", self.name)

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
            codec.encode(AlertMessage(payload, sender_info=self._sender_info)),
            message_id=str(uuid4()),
            persistent=True,
            keep=self._alert_buffer_age,
            resend=True,
        )
        if self._wire is None:
            logger.warning("%s is not on a mesh: nobody gets its alert %s", self.name, routing_key)
        else:
            self._wire.publisher.submit(alert)

    def _leave(self, presence: Presence) -> None:
        busy = presence.busy_lanes()
        if busy:
            text = "waiting up to %g s for %s; a second Ctrl-C does not wait"
            logger.log(LEVEL_NOTICE, text, self._stop_timeout, ", ".join(busy))
        busy = presence.leave(self._stop_timeout, hurried=lambda: self._stops_asked > 1)
        if busy:
            logger.critical("%s leaves requests unfinished on %s", self.name, ", ".join(busy))
        self._pool.stop(0.0 if busy else POOL_SECONDS)

    def _is_over(self) -> bool:
        return bool(self._stops_asked) or self._was_stopped or self._failure is not None

    def _wired(self) -> Wire:
        wire = Wire.made(self._broker, f"serve {self.name}@{socket.gethostname()}", self._heartbeat, self._alert_buffer)
        wire.connection.on_down.append(self._on_down)
        wire.connection.on_blocked.append(self._on_blocked)
        wire.requester.on_refused.append(self._on_refused)
        return wire

    def _present(self, wire: Wire) -> Presence:
        routes = routes_of(self, self._pool)
        handler = RequestHandler(
            self.name,
            routes,
            wire.publisher,
            clock_tolerance=self._clock_tolerance,
            max_message_size=self._max_message_size,
            max_json_depth=self._max_json_depth,
        )
        return Presence.made(wire, self.name, routes, handler, self._on_bound, self._on_failed)

    def _on_bound(self) -> None:
        if self._bound.is_set():
            logger.warning("%s is back on the mesh", self.name)
        else:
            logger.info("starting event loop for node %s", self.name)
            if self._broker_missed:
                logger.warning("the broker is there: %s is on the mesh", self.name)
        self._bound.set()
        self._wake.set()

    def _on_down(self, failure: ConnectionFailure) -> None:
        if self._was_stopped:
            return
        if failure.final:
            self._fail(ServiceStartError(failure.text))
        elif self._bound.is_set():
            logger.warning("%s; %s comes back by itself", failure.text, self.name)
        elif failure.refused:
            self._fail(DriplineAMQPConnectionError(failure.text))
        elif not self._broker_missed:
            self._broker_missed = True
            logger.error('%s; trying on until it is there (another one is chosen with "-b")', failure.text)

    def _on_blocked(self, reason: str) -> None:
        logger.warning("the broker takes no messages (%s): %s cannot answer until it does", reason, self.name)

    def _on_refused(self, text: str) -> None:
        self._fail(DriplineAMQPConnectionError(text))

    def _on_failed(self, text: str) -> None:
        was = f"{self.name}, which was on the mesh, gives up: " if self._bound.is_set() else ""
        self._fail(ServiceStartError(f"{was}{text}"))

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._wake.set()


def _hook(endpoint: Endpoint, done: str, action: Callable[[], None]) -> None:
    # An instrument that is off must not keep the others from being served.
    try:
        action()
    except (DriplineError, OSError) as err:
        logger.error("%s could not be %s: %s", endpoint.name, done, err)

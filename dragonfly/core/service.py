"""Service: the top of an object tree, which puts it on the mesh."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

from dragonfly.core import codec
from dragonfly.core import service_departure as departure
from dragonfly.core.amqp.connection import DEFAULT_HEARTBEAT, Connection, ConnectionFailure
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.amqp.publisher import DEFAULT_BACKLOG, Publisher
from dragonfly.core.codec import DEFAULT_MAX_DEPTH
from dragonfly.core.constants import ALERTS, BROADCAST, REQUESTS
from dragonfly.core.credentials import parsed_address
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError, DriplineValueError, ServiceStartError
from dragonfly.core.lane import DEFAULT_MAX_THREADS, Lane, LanePool
from dragonfly.core.message import AlertMessage, sender_info
from dragonfly.core.numbers import checked_number
from dragonfly.core.provider import Provider
from dragonfly.core.request_handler import RequestHandler
from dragonfly.core.requester import Requester
from dragonfly.core.service_binding import ServiceBinding

logger = logging.getLogger(__name__)

DEFAULT_MAX_MESSAGE_SIZE = 16 * 1024 * 1024
DEFAULT_ALERT_BUFFER_AGE = 600.0


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
        self._heartbeat = checked_number("heartbeat", heartbeat, 1, "seconds")
        self._clock_tolerance = checked_number("clock_tolerance", clock_tolerance, 0, "seconds")
        self._max_threads = int(checked_number("max_threads", max_threads, 1))
        self._stop_timeout = checked_number("stop_timeout", stop_timeout, 0, "seconds")
        self._max_message_size = int(checked_number("max_message_size", max_message_size, 1, "bytes"))
        self._max_json_depth = int(checked_number("max_json_depth", max_json_depth, 2))
        self._alert_buffer = int(checked_number("alert_buffer", alert_buffer, 0))
        self._alert_buffer_age = float(checked_number("alert_buffer_age", alert_buffer_age, 0, "seconds"))
        self._sender_info = sender_info(self.name)
        self._connection: Connection | None = None
        self._bound = threading.Event()
        self._wake = threading.Event()
        self._stops_asked = 0
        self._failure: Exception | None = None
        self._stopping = threading.Lock()
        self._was_bound = False
        self._broker_missed = False

    @property
    def service(self) -> Service:
        """This service."""
        return self

    def connect(self) -> None:
        """Start to connect to the broker; what comes next does not wait for it."""
        if self._connection is not None:
            return
        self._connection = Connection(self._broker, f"serve {self.name}@{socket.gethostname()}", self._heartbeat)
        self._publisher = Publisher(self._connection, self._alert_buffer)
        self._requester = Requester(self._connection, self._publisher)
        self._connection.on_down.append(self._on_down)
        self._connection.on_blocked.append(self._on_blocked)
        self._requester.on_refused.append(self._on_refused)
        self._connection.start()

    def start(self) -> None:
        """Bring all endpoints onto the mesh; returns when requests flow, or when a stop was requested meanwhile.

        Raises:
            DriplineAMQPConnectionError: the broker refuses us.
            ServiceStartError: a name is served by somebody else, or the broker does not allow the queue.
            DriplineValueError: two endpoints have one name.
        """
        self.connect()
        connection = self._connected()
        self._routes = self._routed()
        self._handler = RequestHandler(
            self.name,
            self._routes,
            self._publisher,
            clock_tolerance=self._clock_tolerance,
            max_message_size=self._max_message_size,
            max_json_depth=self._max_json_depth,
        )
        if self._keys is not None:
            logger.info("%s listens to its endpoints only: keys are for alert consumers", self.name)
        for endpoint in self._tree():
            _started(endpoint)
        logger.info("Configuration of %s complete, starting consumption", self.name)
        connection.call(self._bind)
        self._wake.wait()
        if self._failure is not None:
            raise self._failure

    def run(self) -> None:
        """Serve until `request_stop` is called, or until the service cannot go on.

        Raises:
            DriplineAMQPConnectionError: the broker refuses us.
            ServiceStartError: a name is served by somebody else, or the broker does not allow the queue.
        """
        try:
            self.start()
            while not self._stops_asked and self._failure is None:
                self._wake.clear()
                # Looked at once more after the clear: a signal may have come in between.
                if not self._stops_asked and self._failure is None:
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
            connection = self._connection
            if connection is None:
                return
            if self._bound.is_set():
                self._leave(connection)
                self._bound.clear()
            if hasattr(self, "_pool"):
                for endpoint in reversed(list(self._tree())):
                    _stopped(endpoint)
            connection.stop()
            self._connection = None

    def send_alert(self, routing_key: str, payload: Any) -> None:
        """Tell everybody who listens to a key of the alerts exchange; any thread.

        It is kept while the broker is away, and sent again with the same message_id until the broker confirms it.

        Raises:
            DriplinePayloadError: the payload cannot be carried by JSON.
        """
        self._publisher.submit(
            Outgoing(
                ALERTS,
                routing_key,
                codec.encode(AlertMessage(payload, sender_info=self._sender_info)),
                message_id=str(uuid4()),
                persistent=True,
                keep=self._alert_buffer_age,
                resend=True,
            )
        )

    def _leave(self, connection: Connection) -> None:
        self._handler.stop()
        connection.call(self._binding.stop)
        departure.drain(connection, self._consumer)
        lanes = list({id(lane): lane for _, lane in self._routes.values()}.values())
        busy = departure.finish(lanes, self._stop_timeout, lambda: self._stops_asked > 1)
        if busy:
            logger.critical("%s leaves requests unfinished on %s", self.name, ", ".join(busy))
        departure.flush(connection, self._publisher)
        self._pool.stop(0.0 if busy else departure.FLUSH_SECONDS)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise ServiceStartError(f"{self.name} was stopped")
        return self._connection

    def _tree(self) -> Iterator[Endpoint]:
        """All endpoints below the service, parents first."""
        waiting = list(self.endpoints.values())
        while waiting:
            endpoint = waiting.pop(0)
            yield endpoint
            if isinstance(endpoint, Provider):
                waiting.extend(endpoint.endpoints.values())

    def _routed(self) -> dict[str, tuple[Endpoint, Lane]]:
        self._pool = LanePool(self.name, self._max_threads)
        routes: dict[str, tuple[Endpoint, Lane]] = {self.name: (self, Lane(self.name, self._pool))}

        def enter(endpoint: Endpoint, lane: Lane) -> None:
            if endpoint.name in routes:
                raise DriplineValueError(f"{self.name} has two endpoints named {endpoint.name}")
            routes[endpoint.name] = (endpoint, lane)
            if isinstance(endpoint, Provider):
                for child in endpoint.endpoints.values():
                    enter(child, lane)

        for endpoint in self.endpoints.values():
            enter(endpoint, Lane(endpoint.name, self._pool))
        return routes

    def _bind(self) -> None:
        """Follow the connection from now on; I/O thread."""
        connection = self._connected()
        keys = [f"{name}.#" for name in self._routes]
        bindings = [(REQUESTS, f"{BROADCAST}.#"), *((REQUESTS, key) for key in keys)]
        self._consumer = Consumer(connection, self._publisher, self.name, bindings, self._handler.deliver)
        self._binding = ServiceBinding(
            self.name, self._routes, connection, self._requester, self._consumer, self._on_bound, self._on_failed
        )
        self._binding.begin()

    def _on_bound(self) -> None:
        if self._was_bound:
            logger.warning("%s is back on the mesh", self.name)
        else:
            logger.info("starting event loop for node %s", self.name)
        self._was_bound = True
        self._bound.set()
        self._wake.set()

    def _on_down(self, failure: ConnectionFailure) -> None:
        if failure.final:
            self._fail(ServiceStartError(failure.text))
        elif self._was_bound:
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
        self._fail(ServiceStartError(text))

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._wake.set()


def _started(endpoint: Endpoint) -> None:
    # An instrument that is off must not keep the others from being served.
    try:
        endpoint.start()
    except (DriplineError, OSError) as err:
        logger.error("%s could not be started: %s", endpoint.name, err)


def _stopped(endpoint: Endpoint) -> None:
    try:
        endpoint.stop()
    except (DriplineError, OSError) as err:
        logger.error("%s could not be stopped: %s", endpoint.name, err)

"""The life of a service: connect, start, serve, stop.

Rules:
1. It starts once and stops once. A name that is taken, a broker that refuses us and a required set-up call that fails
   end it with an error; a broker that is away does not.
2. On the mesh, in this order: the set-up calls, then the logging that the file asks for, then the heartbeat alerts.
   They come once: when the broker was away and is back, nothing of it is done again.
3. A stop: no periodic action any more, what waits is refused, what runs may end, the shutdown calls, then what is to be
   sent is flushed, then instruments are let go.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.audit import Audit
from dragonfly.core.call_runner import CallRunner
from dragonfly.core.calls import Call
from dragonfly.core.constants import HEARTBEAT, LEVEL_NOTICE
from dragonfly.core.counters import Counters
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineInternalError, ServiceStartError
from dragonfly.core.instruments import Instruments
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.outage import Outage
from dragonfly.core.provider import schedulers_below, tree_of
from dragonfly.core.replier import Replier
from dragonfly.core.request_handler import COUNTERS, RequestHandler
from dragonfly.core.scheduler import switch_all
from dragonfly.core.service_presence import Presence, Wire, routes_of
from dragonfly.core.service_settings import ServiceSettings
from dragonfly.core.statistics import ALERTS_FAILED, statistics_of
from dragonfly.core.waker import Waker

# What these lines say is said of the service, whatever file they stand in.
logger = logging.getLogger("dragonfly.core.service")

# How long a stop waits for idle threads to end, s.
POOL_SECONDS = 2.0
# How long each set-up call may take, and each call of a stop or an outage, s.
CALL_SECONDS = 10.0
_HURRIED_CALL_SECONDS = 1.0


class ServiceLife:
    """What a service does from its start to its end.

    Args:
        service: the Service, whose module imports this one; its hooks `_join`, `_leave`, `_on_bound` and `_on_down` are
            called.
        settings: its keys.
    """

    def __init__(self, service: Any, settings: ServiceSettings) -> None:
        self._service = service
        self._name = service.name
        self._settings = settings
        self._pool = LanePool(self._name, settings.max_threads)
        self._audit = Audit(settings.audit_log)
        self._instruments = Instruments()
        self.counts = Counters(*COUNTERS, ALERTS_FAILED)
        self.routes: Mapping[str, tuple[Endpoint, Lane]] = {}
        self.wire: Wire | None = None
        self.failure: Exception | None = None
        self._presence: Presence | None = None
        self._outage = Outage(self._name, settings.on_broker_lost, self._later, self._call)
        self._bound = threading.Event()
        # Woken when something happened that whoever waits in `start` or `run` must look at.
        self._waker = Waker()
        self._stops_asked = 0
        self._stopping = threading.Lock()
        self._was_stopped = False
        self._broker_missed = False
        self._is_away = False
        self._began = 0.0

    def connect(self) -> Wire:
        """Start to connect to the broker.

        Raises:
            ServiceStartError: the service was stopped.
        """
        with self._stopping:
            if self._was_stopped:
                raise ServiceStartError(f"{self._name} was stopped, and starts once")
            if self.wire is None:
                self.wire = self._wired()
                self.wire.connection.start()
            return self.wire

    def start(self) -> None:
        """Bring the service onto the mesh; its errors are those of Service.start."""
        wire = self.connect()
        if self._presence is not None:
            raise ServiceStartError(f"{self._name} was started before, and starts once")
        self.routes = routes_of(self._service, self._pool)
        for call, text in self._service.call_problems():
            raise ServiceStartError(f"{call.place}: {text}")
        with self._stopping:  # a stop from another thread comes before all of this, or after it
            if self._was_stopped:
                return
            self._open_audit()
            self._presence = presence = self._present(wire)
            self._service.clock.start()
        self._began = self._service.monotonic()
        self._instruments.start(tree_of(self._service), self._is_over)
        if not self._is_over():
            logger.info("Configuration of %s complete, starting consumption", self._name)
            self._service._join(wire, presence)
            self._waker.wait()
        if self.failure is not None:
            raise self.failure
        if not self._is_over():
            self._begin()

    def run(self) -> None:
        """Serve until somebody asks for a stop, or until the service cannot go on."""
        try:
            self._service.start()
            while not self._is_over():
                self._waker.wait()
        finally:
            self._service.stop()
        if self.failure is not None:
            raise self.failure

    def request_stop(self) -> None:
        """Make `run` return; safe in a signal handler."""
        self._stops_asked += 1
        self._waker.wake()
        if self.wire is not None:
            self._instruments.hurry(self._stops_asked, self.wire.connection.call)

    def stop(self) -> None:
        """Leave the mesh in order; any thread but a handler's."""
        with self._stopping:
            if self._was_stopped:
                return
            self._was_stopped = True
            self._waker.wake()
            if self.wire is None:
                return
            logger.info("stopping %s", self._name)
            if self._presence is not None:
                self._service.clock.stop()
                if self._bound.is_set():
                    self._service._leave(self._presence)
                else:  # it may come onto the mesh just now
                    self._presence.handler.stop(self._presence.lanes)
                self._instruments.stop()
            self.wire.connection.stop()
            self._audit.close()
            logger.info("%s has stopped", self._name)

    def leave(self, presence: Presence) -> None:
        """Leave the mesh, with the shutdown calls."""
        self._outage.end()
        busy = presence.busy_lanes()
        if busy:
            text = "waiting up to %g s for %s; a second Ctrl-C does not wait"
            logger.log(LEVEL_NOTICE, text, self._settings.stop_timeout, ", ".join(busy))
        # Before the lanes are emptied, which would take away those of its calls that wait.
        self._outage.finish(self._settings.stop_timeout, self._is_hurried)
        busy = presence.leave(self._settings.stop_timeout, self._is_hurried, self._shut_down)
        if busy:
            logger.critical("%s leaves requests unfinished on %s", self._name, ", ".join(busy))
        self._pool.stop(0.0 if busy else POOL_SECONDS)
        presence.handler.close(POOL_SECONDS)

    def fail(self, error: Exception) -> None:
        """End the service with an error."""
        self.failure = error
        self._waker.wake()

    def on_failed(self, text: str) -> None:
        """End the service, since it cannot come onto the mesh, or stay there."""
        was = f"{self._name}, which was on the mesh, gives up: " if self._bound.is_set() else ""
        self.fail(ServiceStartError(f"{was}{text}"))

    def on_bound(self) -> None:
        """Take note that requests flow; I/O thread, on each connection."""
        self._outage.end()
        self._is_away = False
        if self._bound.is_set():
            logger.warning("%s is back on the mesh", self._name)
        else:
            logger.info("starting event loop for node %s", self._name)
            if self._broker_missed:
                logger.warning("the broker is there: %s is on the mesh", self._name)
            self._bound.set()
            self._waker.wake()

    def on_down(self, failure: ConnectionFailure) -> None:
        """Take note that the connection ended, or was not made; I/O thread."""
        if self._was_stopped:
            return
        if failure.final:
            self.fail(ServiceStartError(failure.text))
        elif self._bound.is_set():
            # Said once: each further try fails for the same reason, for as long as the outage lasts.
            level = logging.DEBUG if self._is_away else logging.WARNING
            self._is_away = True
            logger.log(level, "%s; %s comes back by itself", failure.text, self._name)
            self._outage.begin()
        elif failure.refused:
            self.fail(DriplineAMQPConnectionError(failure.text))
        elif not self._broker_missed:
            self._broker_missed = True
            logger.error('%s; trying on until it is there (another one is chosen with "-b")', failure.text)

    def lane_of(self, name: str) -> Lane:
        """Return the lane of an endpoint.

        Raises:
            DriplineInternalError: the service has not been started, or does not have it.
        """
        if name not in self.routes:
            raise DriplineInternalError(f"{name} is not on the mesh yet, and has no clock before")
        return self.routes[name][1]

    def statistics(self) -> dict[str, Any]:
        """Return what the service has done since its start, and what it is busy with."""
        lanes = [] if self._presence is None else self._presence.lanes
        return statistics_of(self.counts, self.wire, lanes, self._service.monotonic() - self._began)

    def _wired(self) -> Wire:
        settings = self._settings
        name = f"serve {self._name}@{socket.gethostname()}"
        wire = Wire.made(settings.broker, name, settings.heartbeat, settings.alert_buffer, settings.decode)
        wire.connection.on_down.append(self._service._on_down)
        wire.connection.on_blocked.append(self._on_blocked)
        wire.connection.on_unblocked.append(self._outage.end)
        wire.requester.on_refused.append(lambda text: self.fail(DriplineAMQPConnectionError(text)))
        return wire

    def _present(self, wire: Wire) -> Presence:
        settings = self._settings
        handler = RequestHandler(
            self._name,
            self.routes,
            Replier(self._name, wire.replies, self.counts, self._audit),
            clock_tolerance=settings.clock_tolerance,
            max_message_size=settings.max_message_size,
            max_json_depth=settings.max_json_depth,
        )
        return Presence.made(wire, self._name, self.routes, handler, self._service._on_bound, self.on_failed)

    def _open_audit(self) -> None:
        try:
            self._audit.open()
        except OSError as err:
            text = f"{self._name}: the audit_log {self._settings.audit_log} cannot be written: {err.strerror}"
            raise ServiceStartError(text) from err

    def _begin(self) -> None:
        settings = self._settings
        failures = CallRunner(self.routes).run(settings.setup_calls, CALL_SECONDS, self._is_over)
        if self._is_over():
            return
        if failures and settings.setup_calls_required:
            raise ServiceStartError(f"{self._name} needs its setup_calls: {failures[0]}")
        switch_all([each for each in schedulers_below(self._service) if each.starts_by_itself], "on")
        if settings.heartbeat_interval > 0:
            self._beat()

    def _beat(self) -> None:
        service, interval = self._service, self._settings.heartbeat_interval
        self._later(interval, self._beat)
        uptime = round(service.monotonic() - self._began, 3)
        service.send_alert(f"{HEARTBEAT}.{self._name}", {"interval_s": interval, "uptime_s": uptime})

    def _shut_down(self) -> None:
        for call in self._settings.shutdown_calls:  # each by itself: a second Ctrl-C may come between two
            self._call([call], _HURRIED_CALL_SECONDS if self._is_hurried() else CALL_SECONDS)

    def _call(self, calls: list[Call], seconds: float = CALL_SECONDS) -> None:
        CallRunner(self.routes).run(calls, seconds, hurried=lambda: False)

    def _later(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        later: Callable[[], None] = self._service.clock.call_later(seconds, action)
        return later

    def _is_over(self) -> bool:
        return bool(self._stops_asked) or self._was_stopped or self.failure is not None

    def _is_hurried(self) -> bool:
        return self._stops_asked > 1

    def _on_blocked(self, reason: str) -> None:
        logger.warning("the broker takes no messages (%s): %s cannot answer until it does", reason, self._name)
        if self._bound.is_set():
            self._outage.begin()

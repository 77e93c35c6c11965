"""What a service has while it is on the mesh, and how it leaves.

Rules of leaving, in this order:
1. Answer what waits that the service is shutting down.
2. Take from the queue what is still there, so that it is answered, and cancel the consumption, which deletes the queue:
   from then on the broker tells callers that nobody is there.
3. Let what runs finish, for a time.
4. Do the service's own last acts.
5. Flush: wait until the broker has all replies and alerts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.amqp.reply_publisher import ReplyPublisher
from dragonfly.core.broker_address import Broker
from dragonfly.core.codec import Decode, decode
from dragonfly.core.constants import BROADCAST, REQUESTS
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.provider import Provider, tree_of
from dragonfly.core.request_handler import RequestHandler
from dragonfly.core.requester import Requester
from dragonfly.core.service_binding import ServiceBinding

DRAIN_SECONDS = 1.0
FLUSH_SECONDS = 2.0
_POLL_SECONDS = 0.02


class Wire(NamedTuple):
    """A connection and what sends and asks on it."""

    connection: Connection
    declarer: Declarer
    publisher: Publisher
    replies: ReplyPublisher
    requester: Requester

    @classmethod
    def made(
        cls,
        broker: Broker,
        name: str,
        heartbeat: float,
        alert_buffer: int,
        decode: Decode = decode,
    ) -> Wire:
        """Make what a service needs to talk; nothing is started.

        Args:
            broker: HOST, HOST:PORT or an AMQP URL, or several to try in turn; None is localhost.
            name: shown in the broker's list of connections.
            heartbeat: interval of the AMQP heartbeat, s.
            alert_buffer: how many alerts are kept while there is no connection.
            decode: makes a message of a reply's body and content_encoding; a limit is its matter.
        """
        connection = Connection(broker, name, heartbeat)
        declarer = Declarer(connection)
        publisher = Publisher(connection, declarer, alert_buffer)
        requester = Requester(connection, declarer, publisher, decode)
        return cls(connection, declarer, publisher, ReplyPublisher(connection, declarer), requester)

    @property
    def is_silent(self) -> bool:
        """Whether nothing is left to say, or nobody to say it to."""
        return not (self.connection.is_up and self.publisher.unfinished + self.replies.unfinished)


class Presence(NamedTuple):
    """A service's lanes, queue and bindings."""

    wire: Wire
    lanes: list[Lane]
    handler: RequestHandler
    consumer: Consumer
    binding: ServiceBinding

    @classmethod
    def made(
        cls,
        wire: Wire,
        name: str,
        routes: Mapping[str, tuple[Endpoint, Lane]],
        handler: RequestHandler,
        on_bound: Callable[[], None],
        on_failed: Callable[[str], None],
    ) -> Presence:
        """Make what a service needs to be asked; nothing is declared."""
        keys = [f"{BROADCAST}.#", *(f"{target}.#" for target in routes)]
        consumer = Consumer(wire.connection, wire.declarer, name, [(REQUESTS, key) for key in keys], handler.deliver)
        binding = ServiceBinding(name, routes, wire.connection, wire.requester, consumer, on_bound, on_failed)
        lanes = list({id(lane): lane for _, lane in routes.values()}.values())
        return cls(wire, lanes, handler, consumer, binding)

    def leave(self, timeout: float, hurried: Callable[[], bool], last_acts: Callable[[], None]) -> list[str]:
        """Leave the mesh in order; any thread but the I/O thread and the lanes'.

        Args:
            timeout: how long to wait for what runs, s.
            hurried: tells that nobody wants to wait any more.
            last_acts: what the service itself still does, when nobody else's requests run any more.

        Returns:
            The names of lanes on which something still runs.
        """
        connection = self.wire.connection
        self.handler.stop(self.lanes)
        connection.call(self.binding.stop)
        _drain(connection, self.consumer)
        _wait(lambda: hurried() or (self.handler.is_idle and all(lane.is_idle for lane in self.lanes)), timeout)
        last_acts()
        connection.call(self.wire.publisher.let_go)
        connection.call(self.wire.replies.settle)
        _wait(lambda: self.wire.is_silent, FLUSH_SECONDS)
        return self.busy_lanes()

    def busy_lanes(self) -> list[str]:
        """Return the names of lanes on which something runs."""
        return [lane.name for lane in self.lanes if not lane.is_idle]


def routes_of(service: Provider, pool: LanePool) -> dict[str, tuple[Endpoint, Lane]]:
    """Return endpoint and lane by name: each top-level endpoint has a lane, which its whole subtree shares.

    Raises:
        DriplineValueError: two endpoints have one name.
    """
    routes: dict[str, tuple[Endpoint, Lane]] = {service.name: (service, Lane(service.name, pool))}
    for top in service.endpoints.values():
        lane = Lane(top.name, pool)
        for endpoint in (top, *(tree_of(top) if isinstance(top, Provider) else ())):
            if endpoint.name in routes:
                raise DriplineValueError(f"{service.name} has two endpoints named {endpoint.name}")
            routes[endpoint.name] = (endpoint, lane)
    return routes


def _drain(connection: Connection, consumer: Consumer) -> None:
    """Cancel the consumption when the queue is empty, after 1 s at the latest; any thread but the I/O thread."""
    empty = threading.Event()
    cancelled = threading.Event()

    def look() -> None:
        if connection.is_up:
            consumer.count(judge)
        else:
            empty.set()

    def judge(count: int) -> None:
        if count:
            connection.call_later(_POLL_SECONDS, look)
        else:
            empty.set()

    connection.call(look)
    empty.wait(DRAIN_SECONDS)
    connection.call(lambda: consumer.cancel(cancelled.set))
    cancelled.wait(DRAIN_SECONDS)


def _wait(reached: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not reached() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)

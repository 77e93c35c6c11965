"""Messages as the program makes them, with all that it gives to the broker, and no broker.

A service of the tutorial's file and a client are built, but not started. What they send ends behind the last line of
ours, in frames that pika reads; requests are handed to the service's own handler. What differs from run to run and from
computer to computer is replaced by samples.
"""

import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from pika.frame import decode_frame

import dragonfly
from dragonfly.core import codec, routing
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.frames import publish_frames
from dragonfly.core.amqp.packet import Delivery, Outgoing
from dragonfly.core.audit import Audit
from dragonfly.core.constants import DEADLINE_HEADER, DEFAULT_TIMEOUT, PACKAGE, TIME_FORMAT
from dragonfly.core.counters import Counters
from dragonfly.core.interface import Interface
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.replier import Replier
from dragonfly.core.request_handler import COUNTERS, RequestHandler
from dragonfly.core.request_job import Job
from dragonfly.core.requester import Pending, Requester
from dragonfly.core.service import Service
from dragonfly.core.service_presence import Wire
from dragonfly.loader import load

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "kv_store_tutorial.yaml"
# With a user in it, nobody's environment or authentications file is looked at.
BROKER = "amqp://guest:guest@localhost"
KEY = "0123456789abcdef0123456789abcdef"
MOMENT = datetime(2026, 11, 24, 9, 20, 0, tzinfo=timezone.utc)
UUID = "3f2b8c1e-5d47-4a6b-9c0d-7e8f90a1b2c3"
SENDER = {
    "username": "alice",
    "exe": "/home/alice/dragonfly/.venv/bin/dragonfly",
    "package": PACKAGE,
    "hostname": "lab-pc",
    "version": dragonfly.__version__,
    "commit": "g1a2b3c4",
    "service_name": "my_store",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# In the order of the AMQP specification, 1.8.
_PROPERTIES = (
    "content_type",
    "content_encoding",
    "headers",
    "delivery_mode",
    "priority",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "timestamp",
    "type",
    "user_id",
    "app_id",
    "cluster_id",
)


class Published(NamedTuple):
    """A message as it was given to the broker, with samples in it.

    Args:
        properties: those of AMQP that are set, without the headers.
        headers: those of AMQP.
        fields: of the body.
    """

    exchange: str
    routing_key: str
    mandatory: bool
    properties: dict[str, Any]
    headers: dict[str, Any]
    fields: dict[str, Any]


class Line:
    """A publisher that keeps what would go to the broker."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str, bytes, Any, bool]] = []

    def submit(self, outgoing: Outgoing) -> None:
        """Make the frames of a message, and read them as a broker would."""
        buffer, read = b"".join(publish_frames(1, outgoing, 1 << 17)), []
        while buffer:
            size, value = decode_frame(buffer)
            buffer = buffer[size:]
            read.append(value)
        method, header, *bodies = read
        body = b"".join(part.fragment for part in bodies)
        words = method.method
        self.published.append((words.exchange, words.routing_key, body, header.properties, words.mandatory))


class Client(Interface):
    """A client that asks and waits for no reply."""

    def __init__(self, requester: Requester) -> None:
        super().__init__(BROKER)
        self._requester = requester

    def request(
        self,
        routing_key: str,
        msgop: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
    ) -> ReplyMessage:
        """Send a request."""
        request = RequestMessage(msgop, payload, lockout_key=lockout_key)
        self._requester.send(routing_key, request, timeout or DEFAULT_TIMEOUT, Pending(lambda reply: None))
        return ReplyMessage()


class Recorder:
    """A client, and the service of the tutorial, on lines that keep what is sent."""

    def __init__(self) -> None:
        connection = Connection(BROKER, "example")
        declarer = Declarer(connection)
        self._line = line = Line()
        requester = Requester(connection, declarer, line)
        self.client = Client(requester)
        self.service = _service()
        self.service._life.wire = Wire(connection, declarer, line, line, requester)
        self._endpoints = {endpoint.name: endpoint for endpoint in self.service.subtree()}
        replier = Replier(self.service.name, line, Counters(*COUNTERS), Audit(None))
        limits = {"max_message_size": codec.DEFAULT_MAX_MESSAGE_SIZE, "max_json_depth": codec.DEFAULT_MAX_DEPTH}
        self._handler = RequestHandler(self.service.name, {}, replier, clock_tolerance=1.0, **limits)

    def request(self) -> Published:
        """Return the request that was sent last."""
        return _with_samples(*self._line.published[-1])

    def reply(self) -> Published:
        """Have the request that was sent last done by the service and return the reply."""
        exchange, routing_key, body, properties, _ = self._line.published[-1]
        method = SimpleNamespace(exchange=exchange, routing_key=routing_key, redelivered=False, delivery_tag=1)
        delivery = Delivery(method, properties, body)
        request = codec.decode(body, properties.content_encoding)
        target, specifier = routing.split(routing_key)
        assert isinstance(request, RequestMessage)
        # No lane: it is done here and now.
        self._handler.execute(Job(delivery, request, self._endpoints[target], None, specifier))  # type: ignore[arg-type]
        return self.request()


def _service() -> Service:
    config = load(EXAMPLE)
    service = config.build_service(broker=BROKER)
    config.build_endpoints(service)
    return service


def _with_samples(exchange: str, routing_key: str, body: bytes, properties: Any, mandatory: bool) -> Published:
    values = {name: getattr(properties, name) for name in _PROPERTIES if getattr(properties, name) is not None}
    headers = dict(values.pop("headers", {}))
    if DEADLINE_HEADER in headers:
        # As far ahead of the sample's time as it was of this computer's.
        left = int(values["expiration"])
        assert abs(headers[DEADLINE_HEADER] - left - time.time() * 1000) < 60_000, "the deadline is now and the timeout"
        headers[DEADLINE_HEADER] = int(MOMENT.timestamp() * 1000) + left
    fields = json.loads(body)
    fields["timestamp"] = MOMENT.strftime(TIME_FORMAT)
    fields["sender_info"] = {name: SENDER[name] for name in fields["sender_info"]}
    shown = {name: sample(value) for name, value in values.items()}
    return Published(exchange, sample(routing_key), mandatory, shown, headers, fields)


def sample(value: Any) -> Any:
    """Return a value with the sample in the place of each UUID."""
    return _UUID.sub(UUID, value) if isinstance(value, str) else value

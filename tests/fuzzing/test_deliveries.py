"""Whatever a broker delivers: each message is counted once, answered once where it can be, and the next one comes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from pika import frame

from dragonfly.core.amqp.packet import Delivery, Outgoing
from dragonfly.core.amqp.tolerant_connection import TolerantConnection
from dragonfly.core.audit import Audit
from dragonfly.core.codec import encode
from dragonfly.core.constants import PROBE_HEADER
from dragonfly.core.counters import Counters
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.message import RequestMessage
from dragonfly.core.replier import Replier
from dragonfly.core.request_handler import COUNTERS, RequestHandler
from tests.fuzzing.deliveries import DELIVERIES, HEADER_FRAMES
from tests.fuzzing.part import part


class Inline:
    """A lane that does at once what is put on it."""

    def put(self, action: Any, _refused: Any) -> None:
        action()


class Handling:
    """A service's handler, without a broker."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.counts = Counters(*COUNTERS)
        lane: Any = Inline()
        publisher: Any = SimpleNamespace(submit=self.sent.append)
        replier = Replier("shop", publisher, self.counts, Audit(None))
        routes = {name: (Endpoint(name=name), lane) for name in ("peaches", "shop")}
        self.handler = RequestHandler(
            "shop", routes, replier, clock_tolerance=1.0, max_message_size=50_000, max_json_depth=64
        )
        self.handler._desk = lane

    @property
    def counted(self) -> int:
        return sum(self.counts.values().values())


@part(DELIVERIES, count=600)
def test_any_delivery_is_counted_once_and_answered_once_at_most(example: tuple[Any, Any, bytes]) -> None:
    handling = Handling()
    delivery = Delivery(*example)
    handling.handler.deliver(delivery)
    assert handling.counted == (PROBE_HEADER not in delivery.headers)
    assert len(handling.sent) <= bool(delivery.reply_to)
    for reply in handling.sent:
        assert reply.correlation_id == delivery.correlation_id
        assert json.loads(reply.body)["msgtype"] == 2
    method = SimpleNamespace(exchange="requests", routing_key="peaches.ping", redelivered=False, delivery_tag=1)
    properties = SimpleNamespace(**dict.fromkeys(vars(example[1])))
    properties.content_encoding, properties.reply_to = "application/json", "asker"
    handling.handler.deliver(Delivery(method, properties, encode(RequestMessage(9))))
    assert json.loads(handling.sent[-1].body)["retcode"] == 0


@part(HEADER_FRAMES, count=600)
def test_any_header_frame_costs_no_connection(data: bytes) -> None:
    connection = TolerantConnection.__new__(TolerantConnection)
    connection._frame_buffer = data + b"the next frame"
    size, found = connection._read_frame()
    assert size == len(data)
    assert isinstance(found, frame.Header)
    assert found.body_size == int.from_bytes(data[11:19], "big")
    Delivery(SimpleNamespace(exchange="", routing_key="a", redelivered=False, delivery_tag=1), found.properties, b"")

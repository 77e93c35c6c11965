"""What becomes of a message that arrives: which lane it goes to, and what is never run and never answered."""

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from dragonfly.core import codec
from dragonfly.core.amqp.packet import Delivery, Outgoing
from dragonfly.core.audit import Audit
from dragonfly.core.constants import OP_CMD, OP_SET
from dragonfly.core.counters import Counters
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.lane import Lane, LanePool
from dragonfly.core.message import AlertMessage, Message, ReplyMessage, RequestMessage
from dragonfly.core.replier import Replier
from dragonfly.core.request_handler import COUNTERS, RequestHandler
from tests.waiting import wait_until


class Device(Endpoint):
    """Writes down what is set, and on which lane; a set of 'hang' waits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._gate = threading.Event()
        self._sets: list[tuple[Any, str]] = []

    def on_set(self, value: Any) -> None:
        lane = Lane.current()
        self._sets.append((value, "" if lane is None else lane.name))
        if value == "hang":
            self._gate.wait(10)


class Handling:
    """A handler of one device, without a broker."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.counts = Counters(*COUNTERS)
        self.device = Device(name="peaches")
        self.pool = LanePool("test", 4)
        self.lane = Lane("peaches", self.pool)
        publisher: Any = self  # it needs no more than `submit`
        self.handler = RequestHandler(
            "shop",
            {"peaches": (self.device, self.lane)},
            Replier("shop", publisher, self.counts, Audit(None)),
            clock_tolerance=1.0,
            max_message_size=1000,
            max_json_depth=64,
        )

    def submit(self, message: Outgoing) -> None:
        self.sent.append(message)

    def deliver(self, message: Message | bytes, redelivered: bool = False, key: str = "peaches") -> None:
        body = message if isinstance(message, bytes) else codec.encode(message)
        method = pika.spec.Basic.Deliver("tag", 1, redelivered, "requests", key)
        properties = pika.BasicProperties(content_encoding="application/json", reply_to="asker", correlation_id="c")
        self.handler.deliver(Delivery(method, properties, body))

    def codes(self, count: int = 1) -> list[int]:
        assert wait_until(lambda: len(self.sent) >= count and self.lane.is_idle and self.handler.is_idle)
        return [json.loads(message.body)["retcode"] for message in self.sent]

    def counted(self) -> dict[str, int]:
        return {name: count for name, count in self.counts.values().items() if count}


@pytest.fixture
def handling(caplog: pytest.LogCaptureFixture) -> Iterator[Handling]:
    caplog.set_level(logging.INFO, "dragonfly")
    handling = Handling()
    yield handling
    handling.device._gate.set()
    handling.handler.close(5.0)
    assert handling.pool.stop(5.0)


def audited(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().partition("): ")[2] for record in caplog.records if record.name == "dragonfly.audit"]


def request(value: Any = 5) -> RequestMessage:
    return RequestMessage(OP_SET, {"values": [value]})


def test_a_request_runs_on_its_lane(handling: Handling) -> None:
    handling.deliver(request())
    assert handling.codes() == [0]
    assert handling.device._sets == [(5, "peaches")]
    assert handling.counted() == {"requests_ok": 1}


def test_what_the_broker_delivers_again_is_not_run_and_is_recorded(
    handling: Handling, caplog: pytest.LogCaptureFixture
) -> None:
    handling.deliver(request(), redelivered=True)
    assert (handling.codes(), handling.device._sets) == ([300], [])
    assert audited(caplog) == ["set peaches 5 -> 300"]


@pytest.mark.parametrize("redelivered", [True, False])
def test_a_reply_is_never_answered(handling: Handling, redelivered: bool) -> None:
    handling.deliver(ReplyMessage(5), redelivered)
    assert handling.sent == []
    assert handling.counted() == {"messages_undecodable": 1}


@pytest.mark.parametrize(
    ("message", "key", "code"),
    [
        (AlertMessage(5), "peaches", 306),
        (request(), "plums", 102),
        (RequestMessage(OP_SET, 5), "peaches", 303),
        (RequestMessage(OP_SET, {"values": [5]}, lockout_key="none"), "peaches", 308),
        (b"no json", "peaches", 302),
        (b" " * 1001, "peaches", 302),
    ],
)
def test_what_cannot_be_run_is_answered_at_once(handling: Handling, message: Any, key: str, code: int) -> None:
    handling.deliver(message, key=key)
    assert [json.loads(sent.body)["retcode"] for sent in handling.sent] == [code]
    assert handling.device._sets == []


def test_what_touches_no_device_waits_for_none(handling: Handling) -> None:
    handling.deliver(request("hang"))
    assert wait_until(lambda: bool(handling.device._sets))
    for command in ("ping", "describe", "lock_status"):
        handling.deliver(RequestMessage(OP_CMD, {"values": []}), key=f"peaches.{command}")
    handling.deliver(RequestMessage(OP_CMD, {"values": [], "force": True}), key="peaches.unlock")
    assert wait_until(lambda: len(handling.sent) == 4)
    handling.deliver(RequestMessage(OP_CMD, {"values": []}), key="peaches.lock")
    assert handling.lane.depth == 1
    handling.device._gate.set()
    assert sorted(handling.codes(6)) == [0, 0, 0, 0, 0, 1]


def test_a_stop_refuses_what_waits_and_what_comes(handling: Handling) -> None:
    handling.deliver(request("hang"))
    assert wait_until(lambda: bool(handling.device._sets))
    handling.deliver(request(6))
    handling.handler.stop([handling.lane])
    handling.deliver(request(7))
    assert [json.loads(sent.body)["retcode"] for sent in handling.sent] == [321, 321]
    handling.device._gate.set()
    assert handling.codes(3) == [321, 321, 0]
    assert [value for value, _ in handling.device._sets] == ["hang"]


def test_the_desk_leaves_no_thread_behind(handling: Handling) -> None:
    handling.deliver(RequestMessage(OP_CMD, {"values": []}), key="peaches.describe")
    assert handling.codes() == [0]
    handling.handler.close(5.0)
    assert [thread.name for thread in threading.enumerate() if "desk" in thread.name] == []

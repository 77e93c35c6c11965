"""What a caller asks, waits for, raises and forgets; the mesh is played by the test."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.caller import WINDOW, Caller
from dragonfly.core.constants import OP_CMD, OP_GET, OP_SET
from dragonfly.core.exceptions import (
    DriplineAMQPConnectionError,
    DriplineAMQPRoutingKeyError,
    DriplineDecodingError,
    DriplineError,
    DriplineHardwareError,
    DriplineTimeoutError,
    DriplineValueError,
)
from dragonfly.core.flight import Flight
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.pending import Pending

FROM_A_SERVICE = {"service_name": "my_store"}
Sent = tuple[str, RequestMessage, Pending]


class PlayedRequester:
    """Takes requests and has `answer` deal with each."""

    def __init__(self, answer: Callable[[PlayedRequester, Sent], None]) -> None:
        self.answer = answer
        self.sent: list[Sent] = []
        self.pending: list[Pending] = []
        self.is_ready = True
        self.waits: list[float] = []
        self.problem: DriplineAMQPConnectionError | None = None
        self.doubts = 0

    def doubt(self) -> None:
        self.doubts += 1

    def wait_ready(self, timeout: float) -> None:
        self.waits.append(timeout)
        if self.problem is not None:
            raise self.problem

    def send(self, routing_key: str, request: RequestMessage, timeout: float, pending: Pending) -> None:
        if routing_key == "x" * 256:
            raise DriplineValueError("too long")
        self.sent.append((routing_key, request, pending))
        self.pending.append(pending)
        self.answer(self, self.sent[-1])

    def forget(self, pending: Pending) -> None:
        if pending in self.pending:
            self.pending.remove(pending)

    def reply(self, pending: Pending, reply: ReplyMessage | DriplineError) -> None:
        self.forget(pending)
        pending.on_reply(reply)


class PlayedConnection(Connection):
    def start(self) -> None:
        """Stay where we are."""

    def call(self, action: Callable[[], None]) -> None:
        action()


def played(answer: Callable[[PlayedRequester, Sent], None], timeout: float = 5.0) -> tuple[Caller, PlayedRequester]:
    requester = PlayedRequester(answer)
    return Caller(PlayedConnection("localhost", "test"), requester, timeout), requester  # type: ignore[arg-type]


def never(requester: PlayedRequester, sent: Sent) -> None:
    """Answer nothing."""


def echo(requester: PlayedRequester, sent: Sent) -> None:
    """Answer at once with the target."""
    requester.reply(sent[2], ReplyMessage(sent[0], sender_info=FROM_A_SERVICE))


def with_reply(reply: ReplyMessage | DriplineError) -> Callable[[PlayedRequester, Sent], None]:
    return lambda requester, sent: requester.reply(sent[2], reply)


@pytest.mark.parametrize("retcode", [0, 1, 2, 50, 99])
def test_a_code_below_100_never_raises(retcode: int) -> None:
    caller, _ = played(with_reply(ReplyMessage(1, retcode=retcode, return_msg="a remark", sender_info={})))
    assert caller.request("peaches", OP_GET, {"values": []}).retcode == retcode


@pytest.mark.parametrize(
    ("retcode", "kind"), [(102, DriplineAMQPRoutingKeyError), (200, DriplineHardwareError), (12345, DriplineError)]
)
def test_a_code_from_100_on_raises_what_it_stands_for_or_is_returned(retcode: int, kind: type[DriplineError]) -> None:
    reply = ReplyMessage(1, retcode=retcode, return_msg="a reason", sender_info=FROM_A_SERVICE)
    caller, _ = played(with_reply(reply))
    with pytest.raises(kind, match="a reason") as raised:
        caller.request("peaches", OP_GET, {"values": []})
    assert (raised.value.retcode, raised.value.result) == (retcode, {"values": [1]})
    assert caller.request("peaches", OP_GET, {"values": []}, confirm_retcode=False) is reply


def test_a_request_without_a_reply_raises_in_time_and_is_forgotten() -> None:
    caller, requester = played(never)
    with pytest.raises(DriplineTimeoutError, match=r"no reply to cmd peaches.ping within 0.01 s"):
        caller.request("peaches.ping", OP_CMD, {"values": []}, timeout=0.01)
    assert requester.pending == []
    assert requester.doubts == 1  # perhaps the reply queue is bound no more


def test_an_error_on_the_way_raises_even_where_codes_do_not() -> None:
    caller, _ = played(with_reply(DriplineDecodingError("not JSON")))
    with pytest.raises(DriplineDecodingError):
        caller.request("peaches", OP_GET, {"values": []}, confirm_retcode=False)


def test_many_requests_become_what_the_verbs_make_of_them() -> None:
    caller, requester = played(echo)
    items = [
        "peaches",
        ("set", "chips", 2),
        ["cmd", "peaches.ping"],
        ("send", "dev", "*IDN?", "x"),
        ("config", "a", "b"),
    ]
    assert [reply.payload["values"][0] for reply in caller.request_many(items)] == [
        "peaches",
        "chips",
        "peaches.ping",
        "dev",
        "a",
    ]
    assert [(request.msgop, request.payload) for _, request, _ in requester.sent] == [
        (1, {"values": []}),
        (0, {"values": [2]}),
        (9, {"values": []}),
        (7, {"values": ["*IDN?", "x"]}),
        (6, {"values": ["b"]}),
    ]


def test_the_replies_have_the_order_of_the_requests_whatever_that_of_their_coming() -> None:
    def at_the_tenth(requester: PlayedRequester, sent: Sent) -> None:
        if len(requester.pending) == 10:
            for number, pending in reversed(list(enumerate(list(requester.pending)))):
                requester.reply(pending, ReplyMessage(number))

    caller, _ = played(at_the_tenth)
    got = [reply.payload["values"][0] for reply in caller.request_many("peaches" for _ in range(30))]
    assert got == [*range(10)] * 3


def test_no_more_than_a_window_is_on_its_way_and_the_iterable_is_read_no_further() -> None:
    read: list[int] = []

    def endless() -> Iterator[str]:
        for number in count():
            read.append(number)
            yield "peaches"

    caller, requester = played(never)
    replies = caller.request_many(endless(), timeout=0.05)
    assert next(replies).retcode == 305
    assert len(read) == len(requester.sent) == WINDOW
    assert next(replies).retcode == 305
    assert len(read) == len(requester.sent) == WINDOW + 1
    assert len(requester.pending) == WINDOW - 1
    replies.close()  # type: ignore[attr-defined]
    assert requester.pending == []


def test_a_reply_that_is_there_is_given_before_the_next_request_is_read() -> None:
    read: list[str] = []

    def slow() -> Iterator[str]:
        for name in "abc":
            read.append(name)
            yield name

    caller, _ = played(echo)
    replies = caller.request_many(slow())
    assert next(replies).payload == {"values": ["a"]}
    assert read == ["a"]


def test_a_reply_on_another_thread_wakes_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragonfly.core.flight._LONGEST_WAIT", 60.0)

    def later(requester: PlayedRequester, sent: Sent) -> None:
        timer = threading.Timer(0.01, echo, (requester, sent))
        timer.start()

    caller, _ = played(later, timeout=10.0)
    began = time.monotonic()
    assert [reply.payload["values"] for reply in caller.request_many(["a", "b"])] == [["a"], ["b"]]
    assert time.monotonic() - began < 5.0


def test_what_has_its_reply_needs_no_garbage_collector() -> None:
    caller, requester = played(echo)
    gc.collect()
    gc.disable()
    try:
        for _ in caller.request_many(["a", "b"]):
            requester.sent.clear()
        assert not any(isinstance(thing, Flight) for thing in gc.get_objects())
    finally:
        gc.enable()


def test_a_failed_request_hides_no_other() -> None:
    answers: dict[str, ReplyMessage | DriplineError] = {
        "warned": ReplyMessage(1, retcode=1, return_msg="a remark"),
        "refused": ReplyMessage(2, retcode=304, return_msg="a reason"),
        "nobody": ReplyMessage("message not deliverable", retcode=102),
        "lost": DriplineAMQPConnectionError("the connection was lost"),
        "garbled": DriplineDecodingError("not JSON"),
        "fine": ReplyMessage(3),
    }

    def answer(requester: PlayedRequester, sent: Sent) -> None:
        if sent[0] in answers:
            requester.reply(sent[2], answers[sent[0]])

    caller, requester = played(answer, timeout=0.05)
    replies = list(caller.request_many([*answers, "silent", "fine"]))
    assert [reply.retcode for reply in replies] == [1, 304, 102, 101, 302, 0, 305, 0]
    assert replies[3].return_msg == "the connection was lost"
    assert replies[6].return_msg.startswith("no reply to get silent within 0.05 s: its service may be busy")
    assert requester.pending == []


@pytest.mark.parametrize(
    "item",
    [None, 5, (), ("get",), ("fetch", "peaches"), ("get", 5), {"get": "peaches"}, b"peaches", ("set", "x" * 256, 1)],
)
def test_an_item_that_is_no_request_is_named_after_the_replies_before_it(item: object) -> None:
    caller, requester = played(echo)
    replies = caller.request_many(["a", item, "b"])
    assert next(replies).payload == {"values": ["a"]}
    with pytest.raises(DriplineValueError, match="cannot be requested: ") as raised:
        next(replies)
    assert repr(item)[:100] in str(raised.value)
    assert [target for target, _, _ in requester.sent] == ["a"]


def test_one_wait_for_the_broker_is_enough_and_it_is_tried_again() -> None:
    caller, requester = played(echo)
    requester.is_ready = False
    requester.problem = DriplineAMQPConnectionError("no broker")

    def items() -> Iterator[str]:
        yield "a"
        yield "b"
        requester.problem, requester.is_ready = None, True
        yield "c"

    replies = list(caller.request_many(items(), timeout=3.0))
    assert [(reply.retcode, reply.return_msg) for reply in replies] == [(101, "no broker"), (101, "no broker"), (0, "")]
    assert requester.waits == [3.0, 0.0, 0.0]


def test_nothing_is_sent_before_a_reply_is_asked_for() -> None:
    caller, requester = played(echo)
    replies = caller.request_many([("set", "peaches", 1)])
    assert requester.sent == []
    assert next(replies).retcode == 0
    assert requester.sent[0][1].msgop == OP_SET


def test_all_replies_are_collected_until_it_is_quiet() -> None:
    def answer(requester: PlayedRequester, sent: Sent) -> None:
        for number in range(3):
            sent[2].on_reply(ReplyMessage(number, sender_info=FROM_A_SERVICE))

    caller, requester = played(answer, timeout=30.0)
    replies: list[Any] = caller.request_all("broadcast.ping", OP_CMD, {"values": []}, quiet_time=0.01)
    assert [reply.payload["values"] for reply in replies] == [[0], [1], [2]]
    assert requester.sent[0][2].many
    assert requester.pending == []

"""From what a request came to, to its reply: whatever a handler returns or raises, somebody is answered, once."""

import json
import logging
from typing import Any

import pika
import pytest

from dragonfly.core.amqp.packet import Delivery, Outgoing
from dragonfly.core.audit import Audit
from dragonfly.core.constants import OP_SET, PROBE_HEADER
from dragonfly.core.counters import Counters
from dragonfly.core.exceptions import (
    DriplineBusyError,
    DriplineDecodingError,
    DriplineError,
    DriplineHardwareError,
    DriplineNoActionWarning,
    DriplineStoppingError,
    DriplineWarning,
    is_remark,
)
from dragonfly.core.message import RequestMessage
from dragonfly.core.replier import Replier
from dragonfly.core.request_handler import COUNTERS


class StubPublisher:
    """Keeps what is to be sent."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def submit(self, message: Outgoing) -> None:
        self.sent.append(message)


class Desk:
    """A replier, and all that it does."""

    def __init__(self) -> None:
        self.publisher: Any = StubPublisher()
        self.counts = Counters(*COUNTERS)
        self.replier = Replier("my_store", self.publisher, self.counts, Audit(None))
        self.request = RequestMessage(OP_SET, {"values": [5]}, sender_info={"username": "alice", "hostname": "lab1"})

    def reply(self) -> dict[str, Any]:
        (message,) = self.publisher.sent
        fields: dict[str, Any] = json.loads(message.body)
        return fields

    def counted(self) -> dict[str, int]:
        return {name: count for name, count in self.counts.values().items() if count}


@pytest.fixture
def desk(caplog: pytest.LogCaptureFixture) -> Desk:
    caplog.set_level(logging.INFO, "dragonfly")
    return Desk()


def delivery(reply_to: str | None = "asker", headers: dict[str, Any] | None = None) -> Delivery:
    method = pika.spec.Basic.Deliver("tag", 1, False, "requests", "peaches")
    return Delivery(method, pika.BasicProperties(reply_to=reply_to, correlation_id="c1", headers=headers), b"")


def audited(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "dragonfly.audit"]


class Weird(dict[str, Any]):
    """A value that cannot be read."""

    def items(self) -> Any:
        raise KeyError("no items")


NOT_JSON = [object(), {1, 2}, {"deep": [object()]}, Weird(a=1), {(1, 2): 3}]


@pytest.mark.parametrize(
    ("result", "payload", "text"),
    [
        (None, {"values": [None]}, "operation completed silently"),
        (5, {"values": [5]}, ""),
        ([], {"values": [[]]}, ""),
        ({"a": 1}, {"a": 1}, ""),
        ({}, {}, ""),
        (float("nan"), {"values": ["nan"]}, ""),
    ],
)
def test_a_value_is_a_success(
    desk: Desk, caplog: pytest.LogCaptureFixture, result: Any, payload: dict[str, Any], text: str
) -> None:
    desk.replier.answer(delivery(), desk.request, result)
    reply = desk.reply()
    assert (reply["retcode"], reply["payload"], reply["return_msg"]) == (0, payload, text)
    assert desk.counted() == {"requests_ok": 1}
    assert audited(caplog) == ["alice@lab1 (unknown): set peaches 5 -> 0"]


class NotOurs(DriplineError):
    retcode = 42


@pytest.mark.parametrize(
    ("error", "retcode", "payload"),
    [
        (DriplineWarning("as it was"), 0, {"values": [None]}),
        (DriplineWarning("as it was", result={"a": 1}), 0, {"a": 1}),
        (DriplineNoActionWarning("as it was", result=5), 1, {"values": [5]}),
        (NotOurs("as it was"), 42, {"values": [None]}),
    ],
)
def test_an_exception_below_100_is_a_success_with_a_remark(
    desk: Desk, caplog: pytest.LogCaptureFixture, error: DriplineError, retcode: int, payload: dict[str, Any]
) -> None:
    assert is_remark(error)
    desk.replier.remark(delivery(), desk.request, error)
    reply = desk.reply()
    assert (reply["retcode"], reply["payload"], reply["return_msg"]) == (retcode, payload, "as it was")
    assert desk.counted() == {"requests_ok": 1}
    assert audited(caplog)[0].endswith(f" -> {retcode}")


@pytest.mark.parametrize("result", NOT_JSON, ids=lambda result: type(result).__name__)
@pytest.mark.parametrize("is_a_remark", [True, False])
def test_a_value_that_cannot_be_sent_is_an_error_and_nothing_escapes(
    desk: Desk, caplog: pytest.LogCaptureFixture, result: Any, is_a_remark: bool
) -> None:
    if is_a_remark:
        desk.replier.remark(delivery(), desk.request, DriplineWarning("done", result=result))
    else:
        desk.replier.answer(delivery(), desk.request, result)
    reply = desk.reply()
    assert reply["retcode"] in (303, 999) and reply["return_msg"]
    assert reply["payload"] == {"values": [None]}
    assert desk.counted() == {"requests_failed": 1}
    assert len(audited(caplog)) == 1


@pytest.mark.parametrize("result", NOT_JSON, ids=lambda result: type(result).__name__)
def test_an_error_whose_payload_cannot_be_sent_keeps_its_code_and_text(desk: Desk, result: Any) -> None:
    desk.replier.fail(delivery(), DriplineHardwareError("no answer", result=result), desk.request)
    reply = desk.reply()
    assert (reply["retcode"], reply["return_msg"], reply["payload"]) == (200, "no answer", {"values": [None]})


class MuteWarning(DriplineWarning):
    def __str__(self) -> str:
        raise ValueError("no words for it")


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no words for it")


def with_code(retcode: Any) -> DriplineError:
    error = DriplineError("own")
    error.retcode = retcode
    return error


@pytest.mark.parametrize("retcode", [None, "5", 5.0, True, -1, [5]])
def test_a_code_that_is_none_is_an_error_and_999(desk: Desk, retcode: Any) -> None:
    error = with_code(retcode)
    assert not is_remark(error)
    desk.replier.fail(delivery(), error, desk.request)
    assert (desk.reply()["retcode"], desk.reply()["return_msg"]) == (999, "own")


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), Mute()])
def test_any_other_exception_is_no_remark(error: BaseException) -> None:
    assert not is_remark(error)


def test_an_error_that_cannot_say_what_it_is_is_called_by_its_name(desk: Desk) -> None:
    desk.replier.fail(delivery(), Mute(), desk.request)
    assert (desk.reply()["retcode"], desk.reply()["return_msg"]) == (999, "Mute")


def test_a_remark_that_cannot_be_said_is_a_success_without_words(desk: Desk) -> None:
    desk.replier.remark(delivery(), desk.request, MuteWarning(result=5))
    reply = desk.reply()
    assert (reply["retcode"], reply["return_msg"], reply["payload"]) == (0, "", {"values": [5]})
    assert desk.counted() == {"requests_ok": 1}


@pytest.mark.parametrize(
    ("error", "counter"),
    [
        (DriplineHardwareError("x"), "requests_failed"),
        (ValueError("x"), "requests_failed"),
        (DriplineBusyError("x"), "requests_refused"),
        (DriplineStoppingError("x"), "requests_refused"),
        (DriplineDecodingError("x"), "messages_undecodable"),
    ],
)
def test_the_error_tells_what_counts_it(desk: Desk, error: Exception, counter: str) -> None:
    desk.replier.fail(delivery(), error, desk.request)
    assert desk.counted() == {counter: 1}


def test_a_request_that_came_too_late_is_counted_as_such(desk: Desk) -> None:
    desk.replier.fail(delivery(), DriplineHardwareError("x"), desk.request, "requests_expired")
    assert desk.counted() == {"requests_expired": 1}


def test_a_probe_is_answered_and_neither_counted_nor_recorded(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    asked = delivery(headers={PROBE_HEADER: True})
    desk.replier.answer(asked, desk.request, None)
    desk.replier.fail(asked, DriplineHardwareError("x"), desk.request)
    assert [message.headers for message in desk.publisher.sent] == [{PROBE_HEADER: True}] * 2
    assert (desk.counted(), audited(caplog)) == ({}, [])


def test_who_wants_no_reply_gets_none_and_is_counted_and_recorded(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.replier.answer(delivery(reply_to=None), desk.request, None)
    desk.replier.fail(delivery(reply_to=None), DriplineHardwareError("x"), desk.request)
    assert desk.publisher.sent == []
    assert desk.counted() == {"requests_ok": 1, "requests_failed": 1}
    assert len(audited(caplog)) == 2


def test_what_could_not_be_decoded_has_no_record(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.replier.fail(delivery(), DriplineDecodingError("x"))
    assert (desk.reply()["retcode"], audited(caplog)) == (302, [])

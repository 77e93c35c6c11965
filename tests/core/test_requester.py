"""What a reply queue brings: replies, second replies, and what is none."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from dragonfly.core import codec
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.codec import DEFAULT_MAX_MESSAGE_SIZE
from dragonfly.core.exceptions import DriplineDecodingError, DriplineError
from dragonfly.core.message import Message, ReplyMessage, RequestMessage
from dragonfly.core.pending import Pending
from dragonfly.core.requester import ANSWERED, Requester


@pytest.fixture
def requester() -> Requester:
    """Give a requester whose connection is never made: the test plays the broker."""
    connection = Connection("localhost", "test")
    connection.call = lambda action: None  # type: ignore[method-assign]
    declarer = Declarer(connection)
    return Requester(connection, declarer, Publisher(connection, declarer))


def asked(requester: Requester, target: str, *, many: bool = False) -> tuple[Pending, list[Any]]:
    got: list[ReplyMessage | DriplineError] = []
    pending = Pending(got.append, many=many)
    requester.send(target, RequestMessage(1, {"values": []}), 5.0, pending)
    return pending, got


def bring(requester: Requester, pending: Pending, message: Message | bytes) -> None:
    body = message if isinstance(message, bytes) else codec.encode(message)
    delivery: Any = SimpleNamespace(
        correlation_id=pending.correlation_id, body=body, content_encoding="application/json"
    )
    requester._on_delivery(delivery)


def reply_of(service: str, user: str = "alice", host: str = "lab") -> ReplyMessage:
    return ReplyMessage(1, sender_info={"service_name": service, "username": user, "hostname": host})


def test_a_second_reply_is_told_once_with_both_senders(requester: Requester, caplog: pytest.LogCaptureFixture) -> None:
    pending, got = asked(requester, "peaches.log_interval")
    bring(requester, pending, reply_of("store1"))
    assert caplog.messages == []
    for _ in range(3):
        bring(requester, pending, reply_of("store2", "bob", "desk"))
    assert caplog.messages == [
        "peaches.log_interval was answered twice, by store1 (alice on lab) and by store2 (bob on desk):"
        " two programs seem to serve it, and each may have done what was asked"
    ]
    assert caplog.records[0].levelno == logging.WARNING
    assert len(got) == 1


def test_of_a_sender_that_does_not_say_who_it_is_as_much_is_said(
    requester: Requester, caplog: pytest.LogCaptureFixture
) -> None:
    pending, _ = asked(requester, "peaches")
    for _ in range(2):
        bring(requester, pending, ReplyMessage(1, sender_info={}))
    assert "by a service without a name (somebody on some host) and by" in caplog.text


def test_many_replies_to_a_broadcast_are_normal(requester: Requester, caplog: pytest.LogCaptureFixture) -> None:
    pending, got = asked(requester, "broadcast.ping", many=True)
    for number in range(3):
        bring(requester, pending, reply_of(f"store{number}"))
    assert len(got) == 3
    requester.forget(pending)
    bring(requester, pending, reply_of("late"))
    single, _ = asked(requester, "broadcast.ping")
    for number in range(3):
        bring(requester, single, reply_of(f"store{number}"))
    assert caplog.messages == []


def test_so_many_answered_requests_are_remembered_and_no_more(
    requester: Requester, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = asked(requester, "first")
    bring(requester, first, reply_of("store1"))
    for _ in range(ANSWERED - 1):
        pending, _ = asked(requester, "peaches")
        bring(requester, pending, reply_of("store1"))
    bring(requester, first, reply_of("store2"))
    assert "first was answered twice" in caplog.text
    caplog.clear()
    second, _ = asked(requester, "second")
    bring(requester, second, reply_of("store1"))
    for _ in range(ANSWERED):
        pending, _ = asked(requester, "peaches")
        bring(requester, pending, reply_of("store1"))
    bring(requester, second, reply_of("store2"))
    assert caplog.messages == []
    assert len(requester._answered) == ANSWERED
    assert requester._pending == {}


def test_a_reply_that_nobody_waits_for_any_more_is_no_second_one(
    requester: Requester, caplog: pytest.LogCaptureFixture
) -> None:
    pending, got = asked(requester, "peaches")
    requester.forget(pending)
    for _ in range(2):
        bring(requester, pending, reply_of("store1"))
    assert (got, caplog.messages) == ([], [])


def test_a_reply_that_cannot_be_decoded_ends_the_request(requester: Requester) -> None:
    pending, got = asked(requester, "peaches")
    bring(requester, pending, b"{")
    assert isinstance(got[0], DriplineDecodingError)
    assert requester._pending == {}
    bring(requester, pending, b"{")
    assert len(got) == 1


def test_what_is_no_reply_is_ignored_and_its_content_is_not_logged(
    requester: Requester, caplog: pytest.LogCaptureFixture
) -> None:
    pending, got = asked(requester, "peaches")
    bring(requester, pending, RequestMessage(9, lockout_key="secret", sender_info={"username": "eve"}))
    assert (
        "what came as a reply is none, and is ignored: RequestMessage of a service without a name (eve" in caplog.text
    )
    assert "secret" not in caplog.text
    bring(requester, pending, reply_of("store1"))
    assert len(got) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\xff" * (DEFAULT_MAX_MESSAGE_SIZE + 1), "the message has 16777217 bytes, and at most 16777216 are read"),
        (b"[" * 100_000 + b"]" * 100_000, "the message is nested deeper than 64"),
    ],
    ids=["large", "deep"],
)
def test_a_reply_beyond_the_limits_ends_its_request_and_no_other(requester: Requester, body: bytes, text: str) -> None:
    pending, got = asked(requester, "peaches")
    other, others = asked(requester, "chips")
    bring(requester, pending, body)
    assert isinstance(got[0], DriplineDecodingError)
    assert str(got[0]) == text
    bring(requester, other, reply_of("store1"))
    assert isinstance(others[0], ReplyMessage)


def test_in_an_alarm_what_was_on_its_way_is_told_apart_from_what_was_not(requester: Requester) -> None:
    sent, got_of_sent = asked(requester, "heater")
    _, got_of_unsent = asked(requester, "valve")
    assert sent.outgoing is not None
    sent.outgoing.attempts = 1
    requester._blocked("low on memory")
    assert str(got_of_unsent[0]) == "the broker refuses messages (memory alarm)"
    assert str(got_of_sent[0]) == (
        "the broker refuses messages (memory alarm);"
        " the request was on its way already, and whether it was done is not known"
    )


@pytest.mark.parametrize("ends", ["forget", "lost"])
def test_a_request_that_nobody_waits_for_is_not_sent_any_more(requester: Requester, ends: str) -> None:
    pending, _ = asked(requester, "heater")
    assert pending.outgoing is not None and not pending.outgoing.cancelled
    if ends == "forget":
        requester.forget(pending)
    else:
        requester._lost(ConnectionFailure("it is gone"))
    assert pending.outgoing.cancelled


def test_a_request_that_was_answered_is_not_cancelled(requester: Requester) -> None:
    """Whoever forgets it then says nothing about the request."""
    pending, _ = asked(requester, "heater")
    bring(requester, pending, reply_of("store"))
    requester.forget(pending)
    assert pending.outgoing is not None and not pending.outgoing.cancelled


@pytest.mark.parametrize("code", [404, 405])
def test_a_reply_queue_whose_exchange_is_away_is_opened_again_under_a_new_name(
    requester: Requester, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    queues: list[str] = []
    later: list[Any] = []
    refused: list[str] = []
    monkeypatch.setattr(requester._consumer, "open", lambda opened, refuse: queues.append(requester._queue))
    monkeypatch.setattr(requester, "_again", later.append)
    requester.on_refused.append(refused.append)
    requester._open()
    requester._refused(code, "NOT_FOUND - no exchange 'requests' in vhost '/'")
    assert (refused, requester._failure) == ([], None)
    later.pop()()
    assert len(set(queues)) == 2
    requester._opened()
    assert requester.is_ready


def test_a_reply_queue_that_is_forbidden_is_told(requester: Requester, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []
    monkeypatch.setattr(requester._consumer, "open", lambda opened, refuse: None)
    requester.on_refused.append(refused.append)
    requester._open()
    requester._refused(403, "ACCESS_REFUSED")
    assert refused == ["broker localhost refuses us: ACCESS_REFUSED"]
    assert not requester.is_ready

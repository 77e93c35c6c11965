"""What goes out and what comes in."""

from typing import Any

import pytest
from pika.spec import Basic, BasicProperties

from dragonfly.core.amqp.packet import Delivery, Outcome, Outgoing, text_of


def deliver(body: bytes = b"{}", **properties: Any) -> Delivery:
    method = Basic.Deliver("tag", 7, False, "requests", "peaches.ping")
    return Delivery(method, BasicProperties(**properties), body)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        ("peaches", "peaches"),
        (b"peaches", "peaches"),
        (b"\xff\xfe.ping", "\\xff\\xfe.ping"),
        ("\N{DEGREE SIGN}".encode(), "\N{DEGREE SIGN}"),
        (b"", ""),
        (5, "5"),
        (True, "True"),
    ],
)
def test_a_short_string_is_a_text_whatever_its_bytes_are(value: Any, text: str | None) -> None:
    assert text_of(value) == text


def test_a_delivery_has_what_the_broker_said() -> None:
    delivery = deliver(
        b"body",
        content_encoding="application/json",
        correlation_id="c",
        reply_to="r",
        app_id="dripline.core.Service",
        expiration="10000",
        message_id="m",
        headers={"deadline": 1},
    )
    assert (delivery.exchange, delivery.routing_key, delivery.tag) == ("requests", "peaches.ping", 7)
    assert (delivery.body, delivery.content_encoding) == (b"body", "application/json")
    assert (delivery.correlation_id, delivery.reply_to) == ("c", "r")
    assert (delivery.app_id, delivery.expiration, delivery.message_id) == ("dripline.core.Service", "10000", "m")
    assert delivery.headers == {"deadline": 1}
    assert delivery.redelivered is False


def test_a_delivery_without_properties_has_none() -> None:
    delivery = deliver()
    for name in ("content_encoding", "correlation_id", "reply_to", "app_id", "expiration", "message_id"):
        assert getattr(delivery, name) is None
    assert delivery.headers == {}


def test_texts_that_are_no_utf8_are_shown_with_backslashes() -> None:
    method = Basic.Deliver("tag", 7, True, b"requ\xffests", b"peaches\xff.ping")
    properties = BasicProperties(content_encoding=b"\xffjson", app_id=b"\xff", expiration=b"\xff", message_id=b"\xff")
    delivery = Delivery(method, properties, b"")
    assert (delivery.exchange, delivery.routing_key) == ("requ\\xffests", "peaches\\xff.ping")
    assert (delivery.content_encoding, delivery.app_id) == ("\\xffjson", "\\xff")
    assert (delivery.expiration, delivery.message_id) == ("\\xff", "\\xff")
    assert delivery.redelivered is True


def test_what_goes_back_to_the_peer_stays_as_it_came() -> None:
    delivery = deliver(correlation_id=b"\xff\xfe", reply_to=b"\xff")
    assert (delivery.correlation_id, delivery.reply_to) == (b"\xff\xfe", b"\xff")


def test_a_message_is_finished_once() -> None:
    outcomes: list[tuple[Outcome, str]] = []
    outgoing = Outgoing("alerts", "k", b"", done=lambda outcome, reason: outcomes.append((outcome, reason)))
    outgoing.finish(Outcome.RETURNED, "nobody")
    outgoing.finish(Outcome.CONFIRMED)
    assert outcomes == [(Outcome.RETURNED, "nobody")]


def test_a_message_may_be_finished_while_it_is_finished() -> None:
    outcomes: list[Outcome] = []

    def done(outcome: Outcome, reason: str) -> None:
        outcomes.append(outcome)
        outgoing.finish(Outcome.LOST)

    outgoing = Outgoing("alerts", "k", b"", done=done)
    outgoing.finish(Outcome.REFUSED)
    assert outcomes == [Outcome.REFUSED]


def test_a_message_that_nobody_waits_for_is_finished_too() -> None:
    outgoing = Outgoing("alerts", "k", b"")
    outgoing.finish(Outcome.LOST, "gone")
    assert outgoing.done is None


@pytest.mark.parametrize(
    ("keys", "tag"),
    [
        ({}, None),
        ({"correlation_id": "c"}, "c"),
        ({"message_id": "m"}, "m"),
        ({"message_id": "m", "correlation_id": "c"}, "m"),
    ],
)
def test_a_returned_message_is_recognised_by_its_identity(keys: dict[str, str], tag: str | None) -> None:
    assert Outgoing("requests", "k", b"", **keys).tag == tag


def test_by_default_a_message_is_not_kept_not_mandatory_and_not_sent_again() -> None:
    outgoing = Outgoing("requests", "k", b"")
    assert (outgoing.keep, outgoing.mandatory, outgoing.resend, outgoing.persistent) == (0, False, False, False)
    assert outgoing.returned is False


def test_a_message_that_waits_once_more_has_its_time_anew_and_never_less_than_it_had() -> None:
    message = Outgoing("requests", "peaches", b"", keep=5.0)
    message.may_wait(1.0)
    assert message.keep == 5.0
    message.made -= 60.0
    message.may_wait(1.0)
    assert 61.0 <= message.keep < 62.0

"""What is not there is refused by name; what is there stands in the transcript of test_conformance."""

from __future__ import annotations

import pytest

from tests.broker.spoken import (
    METHOD,
    QUEUE_DECLARE,
    frame,
    opened,
    table,
)

# Class id, method id and arguments.
LACKING = {
    "tx.select: transactions": b"\x00\x5a\x00\x0a",
    "basic.get": b"\x00\x3c\x00\x46\x00\x00\x01q\x00",
    "basic.recover": b"\x00\x3c\x00\x6e\x01",
    "exchange.bind": b"\x00\x28\x00\x1e\x00\x00\x01a\x01b\x01c\x00\x00\x00\x00\x00",
    "exchange type direct": b"\x00\x28\x00\x0a\x00\x00\x01e\x06direct\x00\x00\x00\x00\x00",
    "durable exchanges": b"\x00\x28\x00\x0a\x00\x00\x01e\x05topic\x02\x00\x00\x00\x00",
    "internal exchanges": b"\x00\x28\x00\x0a\x00\x00\x01e\x05topic\x08\x00\x00\x00\x00",
    "exchange argument alternate-exchange": b"\x00\x28\x00\x0a\x00\x00\x01e\x05topic\x00"
    + table(b"\x12alternate-exchangeS\x00\x00\x00\x01x"),
    "durable queues": b"\x00\x32\x00\x0a\x00\x00\x01d\x02\x00\x00\x00\x00",
    "queue argument x-expires": b"\x00\x32\x00\x0a\x00\x00\x01d\x00" + table(b"\x09x-expiresI\x00\x00\x00\x05"),
    "queue argument x-overflow=reject-publish": b"\x00\x32\x00\x0a\x00\x00\x01d\x00"
    + table(b"\x0ax-overflowS\x00\x00\x00\x0ereject-publish"),
    "basic.qos with global=true": b"\x00\x3c\x00\x0a\x00\x00\x00\x00\x00\x05\x01",
    "consumer argument x-priority": b"\x00\x3c\x00\x14\x00\x00\x01q\x01t\x00"
    + table(b"\x0ax-priorityI\x00\x00\x00\x05"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_is_not_there_is_refused_by_name(name: str) -> None:
    conversation = opened()
    conversation.say(QUEUE_DECLARE)
    answer = conversation.say(frame(METHOD, 1, LACKING[name]))
    assert answer[7:13] == b"\x00\x0a\x00\x32\x02\x1c"  # connection.close 540
    assert f"NOT_IMPLEMENTED - the embedded broker has no {name}".encode() in answer

"""The page about the wire protocol: its messages and tables are made by the program, and the rest is true of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.core import codec, constants
from dragonfly.core.amqp.alert_gate import WINDOW_SECONDS
from dragonfly.core.lane import LANE_LIMIT
from dragonfly.testing import Mesh, RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.raw import RawClient
from tests.reference_pages import ROOT, arguments_of, page, wire_messages, wire_topology
from tests.transcript import PATIENCE
from tests.waiting import wait_until

AnyBroker = Broker | RabbitMQNode | RunningBroker

EXAMPLE = ROOT / "examples" / "kv_store_tutorial.yaml"


def test_every_message_is_on_the_page_once() -> None:
    assert sorted(arguments_of("wire-message", page("wire"))) == sorted(wire_messages.EXAMPLES)


@pytest.mark.parametrize("name", wire_messages.EXAMPLES)
def test_a_message_is_one_that_the_program_understands(name: str) -> None:
    shown = wire_messages.example(name)
    message = codec.decode(wire_messages.pretty(shown.fields).encode(), shown.properties["content_encoding"])
    assert message.to_dict() == shown.fields
    assert message.extra == {}


def test_two_builds_show_the_same() -> None:
    assert [wire_messages.example(name) for name in wire_messages.EXAMPLES] == [
        wire_messages.example(name) for name in wire_messages.EXAMPLES
    ]


def test_the_failure_is_one_and_the_others_are_none() -> None:
    codes = {name: wire_messages.example(name).fields.get("retcode", 0) for name in wire_messages.EXAMPLES}
    assert codes.pop("error-reply") == 304
    assert set(codes.values()) == {0}


def test_every_field_and_every_header_is_explained() -> None:
    fields = {field for name in wire_messages.EXAMPLES for field in wire_messages.example(name).fields}
    assert set(re.findall(r"^   \* - ``(\w+)``$", page("wire"), re.MULTILINE)) == fields
    explained = set(re.findall(r"^``(\w+)``(?: and ``(\w+)``)?$", page("wire"), re.MULTILINE))
    assert {"expiration", constants.DEADLINE_HEADER, constants.PROBE_HEADER} <= {
        word for pair in explained for word in pair
    }


def test_what_the_page_says_of_limits_is_so() -> None:
    text = " ".join(page("wire").split())
    assert f"At most {constants.MAX_SHORT_STRING} bytes".lower() in text
    assert f"1 to {constants.MAX_NAME} letters" in text
    assert f"{LANE_LIMIT:,} others wait" in text
    assert f"good for {constants.DEFAULT_TIMEOUT:g} s" in text
    assert f"for {WINDOW_SECONDS:g} s after a reconnect" in text
    assert f"at most {codec.DEFAULT_MAX_MESSAGE_SIZE >> 20} MiB are read" in text
    assert f"at most {codec.DEFAULT_MAX_DEPTH} arrays" in text


class Spy:
    """Somebody who gets a copy of every message."""

    def __init__(self, client: RawClient) -> None:
        self._client = client
        self._queues = [client.listen(f"spy_{exchange}", exchange, "#") for exchange in constants.EXCHANGES]

    def first(self, msgtype: int) -> Any:
        """Return the first message of a kind that was no program's own question, once it is there."""
        assert wait_until(lambda: bool(list(self._of(msgtype))), PATIENCE)
        return next(self._of(msgtype))

    def _of(self, msgtype: int) -> Iterator[Any]:
        self._client.connection.process_data_events(0)
        for queue in self._queues:
            for seen in self._client._seen[queue]:
                headers = seen.properties.headers or {}
                if json.loads(seen.body)["msgtype"] == msgtype and constants.PROBE_HEADER not in headers:
                    yield seen


def shape(properties: Any) -> tuple[set[str], set[str]]:
    """Return the names of the properties that are set, and those of the headers."""
    names = {name for name, value in vars(properties).items() if value is not None and name != "headers"}
    return names, set(properties.headers or ())


def test_messages_on_a_broker_have_what_the_page_shows(broker: AnyBroker, mesh: Mesh) -> None:
    with RawClient(broker.address) as client:
        spy = Spy(client)
        mesh.serve(EXAMPLE)
        mesh.client.set("peaches", 2)
        kinds = {"set": constants.T_REQUEST, "set-reply": constants.T_REPLY, "alert": constants.T_ALERT}
        for name, msgtype in kinds.items():
            seen, shown = spy.first(msgtype), wire_messages.example(name)
            assert shape(seen.properties) == (set(shown.properties), set(shown.headers)), name
            assert list(json.loads(seen.body)) == list(shown.fields), name
            assert list(json.loads(seen.body)["sender_info"]) == list(shown.fields["sender_info"]), name


def test_exchanges_and_queues_have_the_flags_that_older_programs_expect() -> None:
    exchanges = [(name, kind) for name, kind, _ in wire_topology.declared_exchanges()]
    assert exchanges == [("requests", "topic"), ("alerts", "topic")]
    queues = wire_topology.declared_queues()
    durable = [channel.queue for channel in queues.values() if channel.options["durable"]]
    assert durable == ["sensor_table_alerts"]
    for channel in queues.values():
        own = channel.queue not in durable
        assert (channel.options["exclusive"], channel.options["auto_delete"]) == (own, own)
    service = queues["a service"]
    assert service.queue == "my_store"
    assert set(service.bindings) == {
        ("requests", f"{name}.#") for name in ("broadcast", "my_store", "peaches", "chips")
    }

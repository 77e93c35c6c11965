"""What an alert consumer takes as its keys, and what it does with an alert, without a broker."""

from __future__ import annotations

from typing import Any

import pytest
from pika.spec import Basic, BasicProperties

from dragonfly import core
from dragonfly.core import codec
from dragonfly.core.alert_consumer import AlertConsumer, AlertMethod
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.exceptions import DriplineMethodNotSupportedError, DriplineValueError
from dragonfly.core.mesh_access import command
from dragonfly.core.message import AlertMessage, InfoMessage, Message


class Recorder(AlertConsumer):
    """Keeps what it got; a payload that is an exception is raised."""

    raises: BaseException | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._got: list[tuple[AlertMessage, AlertMethod]] = []

    def this_consume(self, message: AlertMessage, method: AlertMethod) -> None:
        if self.raises is not None:
            raise self.raises
        self._got.append((message, method))


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words for it")


def alert(
    message: Message | bytes, encoding: str | None = "application/json", message_id: str | None = "m"
) -> Delivery:
    body = message if isinstance(message, bytes) else codec.encode(message)
    properties = BasicProperties(content_encoding=encoding, message_id=message_id)
    return Delivery(Basic.Deliver("tag", 1, True, "alerts", "sensor_value.peaches"), properties, body)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(name="recorder")


def test_both_names_mean_the_same_class() -> None:
    assert core.AlertConsumer is core.Gogol is AlertConsumer


def test_a_class_that_does_not_say_what_it_does_with_an_alert_is_refused() -> None:
    class Forgetful(AlertConsumer):
        pass

    for cls in (AlertConsumer, Forgetful):
        with pytest.raises(DriplineValueError, match=rf"^x: {cls.__name__} needs a method this_consume"):
            cls(name="x")


@pytest.mark.parametrize(
    ("keys", "bound"),
    [
        ("sensor_value.#", ["sensor_value.#"]),
        (["a.#", "b"], ["a.#", "b"]),
        (["a", "b", "a"], ["a", "b"]),
    ],
)
def test_keys_are_one_or_several(keys: Any, bound: list[str]) -> None:
    assert Recorder(name="x", keys=keys)._binding_keys == bound


def test_by_default_all_alerts_are_wanted() -> None:
    assert Recorder(name="x")._binding_keys == ["#"]


@pytest.mark.parametrize("keys", [None, [], 5, [5], {"a": 1}, ["a", None]])
def test_keys_that_are_none_are_refused(keys: Any) -> None:
    with pytest.raises(DriplineValueError, match="^keys must be a binding key or a list of some, not "):
        Recorder(name="x", keys=keys)


def test_a_key_that_amqp_cannot_carry_is_refused() -> None:
    with pytest.raises(DriplineValueError, match="too long"):
        Recorder(name="x", keys=["a", "b" * 256])


@pytest.mark.parametrize("queue", ["", 5, ["q"], "x", "amq.mine", "q" * 256])
def test_a_queue_that_cannot_be_made_is_refused(queue: Any) -> None:
    with pytest.raises(DriplineValueError, match="queue|too long"):
        Recorder(name="x", queue=queue)


def test_the_handler_is_not_for_the_mesh(recorder: Recorder) -> None:
    with pytest.raises(DriplineMethodNotSupportedError):
        command(recorder, "this_consume")


def test_the_handler_gets_the_alert_and_how_it_came(recorder: Recorder) -> None:
    recorder._take_alert(alert(AlertMessage({"value_raw": 1}, timestamp="2026-01-01T00:00:00Z")))
    recorder._take_alert(alert(AlertMessage(None), message_id=None))
    (message, method), (_, foreign) = recorder._got
    assert (message.payload, message.timestamp) == ({"value_raw": 1}, "2026-01-01T00:00:00Z")
    assert method == ("alerts", "sensor_value.peaches", True, "m")
    assert (method.exchange, method.routing_key, method.redelivered, method.message_id) == method
    assert foreign.message_id is None


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"{", "application/json", "the message is not JSON"),
        (b"{}", None, "the message has no content_encoding"),
        (InfoMessage("x"), "application/json", "it is a InfoMessage"),
        (b"x" * 101, "application/json", "the message has 101 bytes, and at most 100 are read"),
    ],
)
def test_what_cannot_be_read_is_told_and_counted(
    body: Any, encoding: str | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(name="small", max_message_size=100 if isinstance(body, bytes) else 10_000)
    recorder._take_alert(alert(body, encoding))
    assert recorder._got == []
    assert recorder._life.counts.values()["messages_undecodable"] == 1
    assert recorder._life.counts.values()["alerts_failed"] == 0
    assert caplog.messages[0].startswith(f"small: the alert sensor_value.peaches cannot be read: {reason}")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ZeroDivisionError("no words"), "ZeroDivisionError: no words ("),
        (DriplineValueError("peaches: no number"), "peaches: no number"),
        (SystemExit("the library gives up"), "SystemExit: the library gives up ("),
        (MuteError(), "MuteError ("),
    ],
)
def test_whatever_a_handler_raises_is_told_with_its_place_and_counted(
    recorder: Recorder, error: BaseException, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.raises = error
    recorder._take_alert(alert(AlertMessage(1)))
    assert recorder._life.counts.values()["alerts_failed"] == 1
    [told] = caplog.messages
    assert told.startswith(f"recorder failed on the alert sensor_value.peaches: {text}")
    # An error of ours says what is wrong; of any other, one wants to know where it arose.
    assert (f"{__file__}:" in told) == text.endswith("(")
    recorder.raises = None
    recorder._take_alert(alert(AlertMessage(2)))
    assert [message.payload for message, _ in recorder._got] == [2]

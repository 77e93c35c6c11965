"""What a client must not do, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from pika import frame, spec

from tests.broker.steps import EXCHANGE, Lines
from tests.broker.wire_client import WireClient, shown


def mistakes(_client: WireClient, address: str) -> Lines:
    for *before, last in MISTAKES:
        with WireClient(address) as client:
            received = [line for step in before for line in _take(client, step)]
            _take(client, last, wait=False)
            while not received or ".Close " not in received[-1]:
                received.append(shown(client.read()))
            yield from received
            yield "-"


def _take(client: WireClient, step: Any, wait: bool = True) -> list[str]:
    """Take a step, and return its answer where it has one: a broker may answer several in another order."""
    if callable(step):
        step(client)
    elif wait and step.synchronous:
        return [shown(client.ask(step))]
    else:
        client.say(step)
    return []


def _publish(*arguments: str, **more: Any) -> Callable[[WireClient], None]:
    return lambda client: client.publish(*arguments, **more)


def _frames(*frames: Any) -> Callable[[WireClient], None]:
    return lambda client: client.send(b"".join(one.marshal() for one in frames))


_DECLARE, _EXCHANGE, _PUBLISH = spec.Queue.Declare, spec.Exchange.Declare, spec.Basic.Publish
# A name of its own for each mistake: a queue goes a moment after its connection.
_NAMES = (f"conformance_{number}" for number in count())
_MINE = _DECLARE(exclusive=True)
_CONSUME = spec.Basic.Consume(consumer_tag="t")
_HEADER, _BODY = frame.Header(1, 3, spec.BasicProperties()), frame.Body(1, b"abc")
_NAMED = "conformance_named"


def _second(first: dict[str, Any], second: dict[str, Any]) -> list[Any]:
    """Declare a queue twice."""
    name = next(_NAMES)
    return [_DECLARE(queue=name, **first), _DECLARE(queue=name, **second)]


_FIVE, _SIX = {"x-max-length": 5}, {"x-max-length": 6}
_OWN = {"exclusive": True}
MISTAKES: list[list[Any]] = [
    [_DECLARE(queue="nope", passive=True)],
    [_DECLARE(queue="amq.nope")],
    [_DECLARE(queue="q" * 255, passive=True)],
    [_DECLARE(queue="", passive=True)],
    _second(_OWN, {**_OWN, "auto_delete": True}),
    _second(_OWN, {**_OWN, "arguments": _FIVE}),
    _second({**_OWN, "arguments": _FIVE}, {**_OWN, "arguments": _SIX}),
    _second({**_OWN, "arguments": _FIVE}, _OWN),
    [*_second(_OWN, {**_OWN, "durable": True}), _DECLARE(queue="nope", passive=True)],
    [_DECLARE(queue=_NAMED), _DECLARE(queue=_NAMED, durable=True)],
    [_DECLARE(queue=_NAMED), _DECLARE(queue=_NAMED, exclusive=True)],
    [spec.Queue.Delete(queue=_NAMED), _DECLARE(queue=_NAMED, passive=True)],
    *([_DECLARE(exclusive=True, arguments={"x-max-length": value})] for value in (-1, "5", True)),
    *([_DECLARE(exclusive=True, arguments={"x-overflow": value})] for value in ("nope", 5)),
    [_EXCHANGE(exchange="nope", passive=True)],
    [_EXCHANGE(exchange="", passive=True)],
    [_EXCHANGE(exchange="", type="topic")],
    [_EXCHANGE(exchange="amq.nope", type="topic")],
    [_EXCHANGE(exchange="amq.nope", passive=True)],
    *([_EXCHANGE(exchange="amq.topic", **more)] for more in ({"type": "topic"}, {"type": "direct", "durable": True})),
    [spec.Exchange.Delete(exchange="amq.topic")],
    [spec.Exchange.Delete(exchange="amq.nope")],
    [_EXCHANGE(exchange=EXCHANGE, type="direct")],
    [_EXCHANGE(exchange=EXCHANGE, type="nope")],
    [_EXCHANGE(exchange=EXCHANGE, type="topic", durable=True)],
    [_EXCHANGE(exchange=EXCHANGE, type="topic", auto_delete=True)],
    [_EXCHANGE(exchange=EXCHANGE, type="topic", internal=True)],
    [
        _MINE,
        spec.Queue.Bind(exchange=EXCHANGE, routing_key="a"),
        spec.Exchange.Delete(exchange=EXCHANGE, if_unused=True),
    ],
    [spec.Exchange.Delete(exchange="")],
    [spec.Exchange.Delete(exchange="nope"), _DECLARE(queue="nope", passive=True)],
    [spec.Queue.Delete(queue="nope"), _DECLARE(queue="nope", passive=True)],
    [spec.Queue.Delete(queue="")],
    [_MINE, _CONSUME, spec.Queue.Delete(if_unused=True)],
    [_MINE, _CONSUME, _CONSUME],
    [_MINE, _CONSUME, spec.Basic.Consume(exclusive=True)],
    [spec.Queue.Purge(queue="nope")],
    [spec.Queue.Bind(queue="nope", exchange=EXCHANGE, routing_key="a")],
    [spec.Queue.Bind(queue="", exchange=EXCHANGE, routing_key="a")],
    [_MINE, spec.Queue.Bind(exchange="nope", routing_key="a")],
    [_MINE, spec.Queue.Bind(exchange="", routing_key="a")],
    [_MINE, spec.Queue.Unbind(exchange="", routing_key="a")],
    [spec.Queue.Unbind(queue="nope", exchange=EXCHANGE, routing_key="a"), _DECLARE(queue="nope", passive=True)],
    [spec.Basic.Consume(queue="nope")],
    [spec.Basic.Consume(queue="")],
    [spec.Basic.Cancel("nope"), _DECLARE(queue="nope", passive=True)],
    [spec.Basic.Qos(prefetch_size=5)],
    [spec.Channel.Flow(active=False)],
    [_publish("nope", "a", "x")],
    [spec.Confirm.Select(), _publish(EXCHANGE, "a", "x"), _publish("nope", "a", "x"), _publish(EXCHANGE, "a", "x")],
    [_PUBLISH(exchange="", routing_key="a", immediate=True), _frames(_HEADER, _BODY)],
    *([_publish("", "a", "x", expiration=value)] for value in ("", "abc", "-1", "1.5", "5x", " 5", "315360000001")),
    [_publish("", "a", "x", user_id="nobody")],
    [spec.Basic.Ack(1)],
    [spec.Basic.Ack(0)],
    [spec.Basic.Ack(1, multiple=True)],
    [spec.Basic.Ack(0, multiple=True), _DECLARE(queue="nope", passive=True)],
    [spec.Basic.Nack(1)],
    [spec.Basic.Reject(1)],
    [spec.Channel.Open()],
    [lambda client: client.say(_DECLARE(), channel=5)],
    [lambda client: client.say(spec.Channel.Close(200, "", 0, 0), channel=5)],
    [lambda client: client.say(_DECLARE(), channel=0)],
    [lambda client: client.say(spec.Channel.Open(), channel=0)],
    [lambda client: client.say(spec.Connection.Open("/"), channel=0)],
    [spec.Connection.Open("/")],
    [spec.Basic.ConsumeOk("a")],
    [_frames(_HEADER)],
    [_frames(_BODY)],
    [_PUBLISH(routing_key="a"), _PUBLISH(routing_key="a")],
    [_PUBLISH(routing_key="a"), _frames(_BODY)],
    [_PUBLISH(routing_key="a"), _frames(_HEADER), _DECLARE()],
    [_PUBLISH(routing_key="a"), _frames(_HEADER, _HEADER)],
]

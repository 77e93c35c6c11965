"""How queues, exchanges and channels come and go."""

from __future__ import annotations

from typing import Any

from pika import frame, spec

from tests.broker.steps import EXCHANGE, OTHER, Lines, bodies, consume, counts, declare, fill
from tests.broker.wire_client import WireClient, shown


def exclusive_queues(client: WireClient, address: str) -> Lines:
    queue = declare(client, "conformance_exclusive")
    client.ask(spec.Queue.Bind(queue=queue, exchange=EXCHANGE, routing_key="bound"))
    others: list[Any] = [
        spec.Queue.Declare(queue=queue, exclusive=True),
        spec.Queue.Declare(queue=queue),
        spec.Queue.Declare(queue=queue, passive=True),
        spec.Queue.Bind(queue=queue, exchange=EXCHANGE, routing_key="a"),
        spec.Queue.Unbind(queue=queue, exchange=EXCHANGE, routing_key="a"),
        spec.Queue.Unbind(queue=queue, exchange=EXCHANGE, routing_key="bound"),
        spec.Queue.Purge(queue=queue),
        spec.Queue.Delete(queue=queue),
        spec.Basic.Consume(queue=queue),
    ]
    for method in others:
        with WireClient(address) as other:
            yield f"{method.NAME}: {shown(other.ask(method))}"
    with WireClient(address) as other:
        other.ask(spec.Confirm.Select())
        other.publish(EXCHANGE, "bound", "still bound", mandatory=True)
        yield shown(other.read())
        other.publish("", queue, "anybody may publish", mandatory=True)
        yield shown(other.read())
    yield counts(client, queue)
    yield shown(client.ask(spec.Queue.Declare(queue=queue, exclusive=False)))


def the_end_of_a_connection(client: WireClient, address: str) -> Lines:
    with WireClient(address) as other:
        declare(other, "conformance_gone")
        shared = declare(other, "conformance_stays", exclusive=False)
        other.ask(spec.Basic.Qos(prefetch_count=2))
        consume(other, shared)
        for body in "abc":
            other.publish("", shared, body)
        yield bodies(other, 2)
        yield shown(other.ask(spec.Connection.Close(200, "bye", 0, 0), channel=0))
    consume(client, shared)
    yield bodies(client, 3)
    yield shown(client.ask(spec.Queue.Delete(queue=shared)))
    client.read_until(spec.Basic.Cancel)
    yield shown(client.ask(spec.Queue.Declare(queue="conformance_gone", passive=True)))


def auto_delete(client: WireClient, _address: str) -> Lines:
    queue = declare(client, "conformance_auto", exclusive=False, auto_delete=True)
    client.ask(spec.Queue.Bind(queue=queue, exchange=EXCHANGE, routing_key="auto"))
    yield counts(client, queue)
    for tag in ("one", "two"):
        consume(client, queue, tag)
    yield counts(client, queue)
    yield shown(client.ask(spec.Basic.Cancel("one")))
    yield counts(client, queue)
    yield shown(client.ask(spec.Basic.Cancel("two")))
    client.publish(EXCHANGE, "auto", "x", mandatory=True)
    yield from (shown(client.read()) for _ in range(3))
    yield counts(client, queue)


def auto_delete_exchange(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    yield shown(client.ask(spec.Exchange.Declare(exchange=OTHER, type="topic", auto_delete=True)))
    for key in ("a", "b"):
        client.ask(spec.Queue.Bind(queue=queue, exchange=OTHER, routing_key=key))
    yield shown(client.ask(spec.Queue.Unbind(queue=queue, exchange=OTHER, routing_key="a")))
    yield shown(client.ask(spec.Exchange.Declare(exchange=OTHER, passive=True)))
    yield shown(client.ask(spec.Queue.Delete(queue=queue)))
    yield shown(client.ask(spec.Exchange.Declare(exchange=OTHER, passive=True)))


def the_topic_exchange_that_is_always_there(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    for more in ({"passive": True}, {"durable": True}):
        yield shown(client.ask(spec.Exchange.Declare(exchange="amq.topic", type="topic", **more)))
    yield shown(client.ask(spec.Queue.Bind(queue=queue, exchange="amq.topic", routing_key="conformance.#")))
    consume(client, queue, no_ack=True)
    client.publish("amq.topic", "conformance.a", "by_amq.topic")
    yield bodies(client, 1)
    yield shown(client.ask(spec.Queue.Unbind(queue=queue, exchange="amq.topic", routing_key="conformance.#")))
    client.publish("amq.topic", "conformance.a", "x", mandatory=True)
    yield from (shown(client.read()) for _ in range(3))


def drop_head(client: WireClient, _address: str) -> Lines:
    queue = declare(client, arguments={"x-max-length": 3, "x-overflow": "drop-head"})
    fill(client, queue, "abcdef")
    yield counts(client, queue)
    consume(client, queue, no_ack=True)
    yield bodies(client, 3)
    none = declare(client, arguments={"x-max-length": 0})
    fill(client, none, "x")
    yield counts(client, none)


def deleting_and_purging(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    fill(client, queue, "abc")
    yield counts(client, queue)
    yield shown(client.ask(spec.Queue.Purge(queue=queue)))
    fill(client, queue, "d")
    yield counts(client, queue)
    yield shown(client.ask(spec.Queue.Delete(queue=queue)))
    yield shown(client.ask(spec.Queue.Delete(queue=queue)))
    queue = declare(client)
    consume(client, queue, "told")
    client.say(spec.Queue.Delete(queue=queue))
    yield from sorted(shown(client.read()) for _ in range(2))
    queue = declare(client)
    fill(client, queue, "a")
    yield shown(client.ask(spec.Queue.Delete(queue=queue, if_empty=True)))


def long_messages(_client: WireClient, address: str) -> Lines:
    body = bytes(range(256)) * 1200
    with WireClient(address, frame_max=4096) as small, WireClient(address) as large:
        for publisher, consumer in ((large, small), (small, large)):
            queue = declare(consumer)
            consume(consumer, queue, no_ack=True)
            step = 4000
            publisher.say(spec.Basic.Publish(exchange="", routing_key=queue))
            publisher.send(frame.Header(1, len(body), spec.BasicProperties(app_id="x")).marshal())
            for start in range(0, len(body), step):
                publisher.send(frame.Body(1, body[start : start + step]).marshal())
            method, properties, received = consumer.message()
            yield f"{shown(frame.Method(1, method))} {properties} {len(received)} {received == body}"


def without_waiting(client: WireClient, _address: str) -> Lines:
    queue = "conformance_nowait"
    client.say(
        spec.Exchange.Declare(exchange=OTHER, type="topic", nowait=True),
        spec.Queue.Declare(queue=queue, exclusive=True, nowait=True),
        spec.Queue.Bind(queue=queue, exchange=OTHER, routing_key="#", nowait=True),
        spec.Confirm.Select(nowait=True),
        spec.Basic.Consume(queue=queue, consumer_tag="tag", no_ack=True, nowait=True),
    )
    client.publish(OTHER, "a", "x")
    frames = client.read_until(spec.Basic.Ack)
    while len(frames) < 4:
        frames.append(client.read())
    yield from sorted(map(shown, frames))
    client.say(
        spec.Basic.Cancel("tag", nowait=True),
        spec.Queue.Purge(queue=queue, nowait=True),
        spec.Queue.Delete(queue=queue, nowait=True),
        spec.Exchange.Delete(exchange=OTHER, nowait=True),
    )
    yield shown(client.ask(spec.Exchange.Declare(exchange=OTHER, passive=True)))


def channels(client: WireClient, _address: str) -> Lines:
    yield shown(client.ask(spec.Channel.Open(), channel=7))
    yield shown(client.ask(spec.Queue.Declare(queue="nope", passive=True), channel=7))
    client.say(spec.Queue.Declare(queue="ignored", exclusive=True), channel=7)
    client.say(spec.Channel.CloseOk(), channel=7)
    yield shown(client.ask(spec.Channel.Open(), channel=7))
    yield shown(client.ask(spec.Queue.Declare(queue="ignored", passive=True), channel=7))
    yield shown(client.ask(spec.Channel.Close(200, "", 0, 0), channel=7))
    yield shown(client.ask(spec.Channel.Flow(active=True)))
    yield shown(client.ask(spec.Queue.Declare(queue="nope", passive=True)))


SCENARIOS = (
    exclusive_queues,
    the_end_of_a_connection,
    auto_delete,
    auto_delete_exchange,
    the_topic_exchange_that_is_always_there,
    drop_head,
    deleting_and_purging,
    long_messages,
    without_waiting,
    channels,
)

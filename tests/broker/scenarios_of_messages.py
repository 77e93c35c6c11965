"""How messages are routed, returned, confirmed, delivered, given back and dropped."""

from __future__ import annotations

from pika import spec

from tests.broker.steps import EXCHANGE, Lines, bodies, consume, counts, declare, fill
from tests.broker.wire_client import WireClient, shown


def routes(client: WireClient, _address: str) -> Lines:
    patterns = ["peaches.#", "*.b", "#.b", "a.#.b", "#", "*", "", "a..b", "a.*.#", "#.a.#", "*.*", ".", "a.b"]
    keys = [
        "peaches",
        "peachesx",
        "peaches.x",
        "peaches.",
        "b",
        "a.b",
        "a.x.b",
        "a..b",
        "a.b.c",
        "",
        ".",
        "..",
        "x.a.y",
    ]
    keys += ["a", "*", "#", "a.#", "*.b", "x" * 255, "a." * 127]
    for pattern in patterns:
        queue = declare(client)
        consume(client, queue, no_ack=True)
        client.ask(spec.Queue.Bind(queue=queue, exchange=EXCHANGE, routing_key=pattern))
        for key in keys:
            client.publish(EXCHANGE, key, key[:10])
        client.publish("", queue, "end")
        matched: list[str] = []
        while not matched or matched[-1] != "end":
            matched.append(bodies(client, 1))
        client.ask(spec.Queue.Delete(queue=queue))
        client.read_until(spec.Basic.Cancel)
        yield f"{pattern!r}: {matched[:-1]}"


def bindings(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    consume(client, queue, no_ack=True)
    for key in ("a.#", "a.*", "a.b", "a.b"):
        yield shown(client.ask(spec.Queue.Bind(queue=queue, exchange=EXCHANGE, routing_key=key)))
    client.publish(EXCHANGE, "a.b", "once")
    for key in ("a.b", "a.#", "never.bound"):
        yield shown(client.ask(spec.Queue.Unbind(queue=queue, exchange=EXCHANGE, routing_key=key)))
    client.publish(EXCHANGE, "a.b", "still")
    client.ask(spec.Queue.Unbind(queue=queue, exchange=EXCHANGE, routing_key="a.*"))
    client.publish(EXCHANGE, "a.b", "no_more")
    client.publish("", queue, "end")
    yield bodies(client, 3)
    yield shown(client.ask(spec.Queue.Bind(queue="", exchange=EXCHANGE, routing_key="")))
    client.publish(EXCHANGE, queue, "by_its_name")
    yield bodies(client, 1)
    client.say(spec.Exchange.Delete(exchange=EXCHANGE), spec.Exchange.Declare(exchange=EXCHANGE, type="topic"))
    client.read_until(spec.Exchange.DeclareOk)
    client.publish(EXCHANGE, queue, "unbound_with_the_exchange")
    client.publish("", queue, "end")
    yield bodies(client, 1)


def returns(client: WireClient, _address: str) -> Lines:
    client.ask(spec.Confirm.Select())
    properties = {"correlation_id": "c", "headers": {"k": [1, {"x": None}], "y": b"\x00"}, "app_id": "a", "priority": 3}
    for mandatory in (True, False):
        for exchange in (EXCHANGE, ""):
            client.publish(exchange, "nowhere", b"\x00body", mandatory=mandatory, **properties)
            yield from map(shown, client.read_until(spec.Basic.Ack))
    queue = declare(client)
    client.publish("", queue, "", mandatory=True, **properties)
    yield from map(shown, client.read_until(spec.Basic.Ack))
    consume(client, queue, no_ack=True)
    method, received, body = client.message()
    yield f"{method.exchange} {method.redelivered} {received} {body!r}"


def confirms_under_load(client: WireClient, _address: str) -> Lines:
    client.ask(spec.Confirm.Select(nowait=False))
    queue = declare(client)
    total = 5000
    returned: list[int] = []
    confirmed: set[int] = set()
    early = 0
    highest = 0
    for number in range(1, total + 1):
        client.publish("", queue if number % 2 else "nowhere", str(number), mandatory=True)
        if number % 500 == 0:
            while highest < number - 250 or (number == total and len(confirmed) < total):
                received = client.read()
                if isinstance(received.method, spec.Basic.Return):
                    client.read()
                    returned.append(int(client.read().fragment))
                    early += returned[-1] not in confirmed
                else:
                    tag = received.method.delivery_tag
                    confirmed |= set(range(1, tag + 1)) if received.method.multiple else {tag}
                    highest = max(highest, tag)
    yield f"confirmed {len(confirmed)}, returned {len(returned)}, of these before their confirms {early}"
    yield f"returned in order: {returned == list(range(2, total + 1, 2))}"
    yield counts(client, queue)
    consume(client, queue, no_ack=True)
    yield f"delivered in order: {bodies(client, total // 2) == ' '.join(map(str, range(1, total, 2)))}"


def redelivery(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    for body in "abcdef":
        client.publish("", queue, body)
    client.ask(spec.Basic.Qos(prefetch_count=4))
    consume(client, queue)
    yield bodies(client, 4)
    client.say(spec.Basic.Reject(3, requeue=True))
    yield f"rejected c: {bodies(client, 1)}"
    client.say(spec.Basic.Nack(2, multiple=True, requeue=True))
    yield f"nacked a and b: {bodies(client, 2)}"
    client.say(spec.Basic.Ack(4), spec.Basic.Reject(5, requeue=False))
    yield f"acked d, dropped c: {bodies(client, 2)}"
    yield shown(client.ask(spec.Basic.Cancel("tag")))
    client.say(spec.Basic.Nack(0, multiple=True, requeue=True))
    consume(client, queue, "again", no_ack=True)
    yield bodies(client, 4)


def redelivery_when_the_channel_closes(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    for body in "abc":
        client.publish("", queue, body)
    consume(client, queue)
    yield bodies(client, 3)
    client.say(spec.Basic.Ack(2))
    yield shown(client.ask(spec.Channel.Close(200, "", 0, 0)))
    client.ask(spec.Channel.Open())
    consume(client, queue)
    client.publish("", queue, "new")
    yield bodies(client, 3)


def requeue_order(client: WireClient, _address: str) -> Lines:
    """What comes back from two consumers, in any order and in part, stands where it had been."""
    queue = declare(client)
    fill(client, queue, "abcdefgh")
    client.ask(spec.Basic.Qos(prefetch_count=6))
    consume(client, queue, "holds")
    yield bodies(client, 6)
    client.ask(spec.Basic.Cancel("holds"))
    for tag in (5, 2, 4):
        client.say(spec.Basic.Reject(tag, requeue=True))
    client.say(spec.Basic.Ack(1))
    fill(client, queue, "i")
    client.ask(spec.Basic.Qos(prefetch_count=1))
    consume(client, queue, "takes")
    for tag in (7, 8, 9):
        yield bodies(client, 1)
        client.say(spec.Basic.Ack(tag))
    yield bodies(client, 1)
    client.say(spec.Basic.Nack(10, multiple=True, requeue=True))
    for tag in (11, 12, 13, 14, 15):
        yield bodies(client, 1)
        client.say(spec.Basic.Ack(tag))
    yield counts(client, queue)


def prefetch(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    client.ask(spec.Basic.Qos(prefetch_count=2))
    consume(client, queue, "two")
    client.ask(spec.Basic.Qos(prefetch_count=1))
    consume(client, queue, "one")
    for number in range(3):
        client.publish("", queue, str(number))
    seen = [client.message() for _ in range(3)]
    yield " ".join(sorted(method.consumer_tag for method, _, _ in seen))
    fill(client, queue, "345")
    yield counts(client, queue)
    client.say(spec.Basic.Ack(3, multiple=True))
    seen = [client.message() for _ in range(3)]
    yield " ".join(sorted(body.decode() for _, _, body in seen))
    yield counts(client, queue)


def expiration_order(client: WireClient, _address: str) -> Lines:
    queue = declare(client)
    fill(client, queue, "0", expiration="0")
    yield counts(client, queue)
    for body, expiration in (("a", None), ("b", "0"), ("c", "100000"), ("d", "0"), ("e", None)):
        fill(client, queue, body, expiration=expiration)
    yield counts(client, queue)
    client.ask(spec.Basic.Qos(prefetch_count=1))
    consume(client, queue)
    for tag in (1, 2):
        yield bodies(client, 1)
        client.say(spec.Basic.Ack(tag))
    yield bodies(client, 1)
    yield counts(client, queue)
    client.ask(spec.Basic.Cancel("tag"))
    consume(client, queue, "other", no_ack=True)
    client.publish("", queue, "delivered_at_once", expiration="0")
    yield bodies(client, 1)


SCENARIOS = (
    routes,
    bindings,
    returns,
    confirms_under_load,
    redelivery,
    redelivery_when_the_channel_closes,
    requeue_order,
    prefetch,
    expiration_order,
)

"""The methods of class basic but for publish (AMQP 0-9-1, 1.8), of confirm, and channel.flow (1.5.2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pika import spec

from dragonfly.broker.arguments import check_consumer
from dragonfly.broker.channel import Channel
from dragonfly.broker.consumer import Consumer, Unsettled
from dragonfly.broker.errors import Code, ProtocolError, not_offered, placed, shown
from dragonfly.broker.names import as_name, new_name
from dragonfly.broker.queue_methods import queue_name


def qos(channel: Channel, method: Any) -> None:
    """Set how many unacknowledged messages each consumer to come may have."""
    if method.prefetch_size:
        raise ProtocolError(Code.NOT_IMPLEMENTED, f"prefetch_size!=0 ({method.prefetch_size})")
    if method.global_qos:
        raise not_offered("basic.qos with global=true: a prefetch is that of each consumer")
    channel.prefetch = method.prefetch_count
    channel.reply(spec.Basic.QosOk())


def consume(channel: Channel, method: Any) -> None:
    """Begin to deliver what comes to a queue."""
    tag = as_name(method.consumer_tag)
    consumers = channel.deliveries.consumers
    if tag in consumers:
        raise ProtocolError(Code.NOT_ALLOWED, f"attempt to reuse consumer tag {shown(tag)}")
    queue = channel.host.queue(queue_name(channel, method.queue), channel.peer)
    if queue.exclusive_consumer or (method.exclusive and queue.consumers):
        raise ProtocolError(Code.ACCESS_REFUSED, f"{placed('queue', queue.name)} in exclusive use")
    check_consumer(method.arguments)
    tag = tag or new_name("ctag")
    consumer = Consumer(tag, queue, channel.peer, channel.deliveries, no_ack=method.no_ack, prefetch=channel.prefetch)
    consumers[tag] = consumer
    queue.add_consumer(consumer, method.exclusive)
    if not method.nowait:
        channel.reply(spec.Basic.ConsumeOk(tag))
    queue.pump(channel.host.now)


def cancel(channel: Channel, method: Any) -> None:
    """Deliver no more to a consumer; one that is not there is no error."""
    tag = as_name(method.consumer_tag)
    consumer = channel.deliveries.consumers.pop(tag, None)
    if not method.nowait:
        channel.reply(spec.Basic.CancelOk(tag))
    if consumer is not None:
        channel.host.remove_consumer(consumer.queue, consumer)


def ack(channel: Channel, method: Any) -> None:
    """Let go of messages that a client has dealt with."""
    _drop(channel, channel.deliveries.settle(method.delivery_tag, method.multiple))


def nack(channel: Channel, method: Any) -> None:
    """Take messages back, or let go of them."""
    _refuse(channel, channel.deliveries.settle(method.delivery_tag, method.multiple), method.requeue)


def reject(channel: Channel, method: Any) -> None:
    """Take one message back, or let go of it."""
    _refuse(channel, channel.deliveries.settle(method.delivery_tag, multiple=False), method.requeue)


def confirm_select(channel: Channel, method: Any) -> None:
    """Acknowledge the client's publishes from now on."""
    channel.confirm_publishes()
    if not method.nowait:
        channel.reply(spec.Confirm.SelectOk())


def flow(channel: Channel, method: Any) -> None:
    """Answer a client that wants messages to flow; as with RabbitMQ, it cannot stop them."""
    if not method.active:
        raise ProtocolError(Code.NOT_IMPLEMENTED, "active=false")
    channel.reply(spec.Channel.FlowOk(active=True))


def access_request(channel: Channel, _method: Any) -> None:
    """Answer a client of AMQP 0-9, as RabbitMQ does: the ticket means nothing."""
    channel.reply(spec.Access.RequestOk(ticket=1))


def _refuse(channel: Channel, settled: list[Unsettled], requeue: bool) -> None:
    if not requeue:
        _drop(channel, settled)
        return
    channel.give_back((consumer.queue, entry) for consumer, entry in settled)


def _drop(channel: Channel, settled: Iterable[Unsettled]) -> None:
    queues = []
    for consumer, entry in settled:
        consumer.queue.forget(entry)
        if consumer.prefetch:
            queues.append(consumer.queue)
    channel.pump(queues)


HANDLERS: dict[int, Callable[[Channel, Any], None]] = {
    spec.Basic.Qos.INDEX: qos,
    spec.Basic.Consume.INDEX: consume,
    spec.Basic.Cancel.INDEX: cancel,
    spec.Basic.Ack.INDEX: ack,
    spec.Basic.Nack.INDEX: nack,
    spec.Basic.Reject.INDEX: reject,
    spec.Confirm.Select.INDEX: confirm_select,
    spec.Channel.Flow.INDEX: flow,
    spec.Access.Request.INDEX: access_request,
}

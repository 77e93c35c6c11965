"""The methods of class queue (AMQP 0-9-1, 1.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika import spec

from dragonfly.broker.arguments import check_queue, check_same_arguments, check_same_flag
from dragonfly.broker.channel import Channel
from dragonfly.broker.errors import Code, ProtocolError, not_found, not_offered, placed
from dragonfly.broker.names import as_key, as_name, check_not_reserved, new_name
from dragonfly.broker.queue import Queue
from dragonfly.broker.virtual_host import locked


def declare(channel: Channel, method: Any) -> None:
    """Make a queue, or see that it is there and the same."""
    name = as_name(method.queue)
    if method.passive:
        queue = channel.host.queue(name, channel.peer)
    elif not name:
        queue = _new_queue(channel, new_name("gen"), method)
    else:
        check_not_reserved("queue", name)
        existing = channel.host.queues.get(name)
        if existing is None:
            queue = _new_queue(channel, name, method)
        else:
            queue = existing
            _check_same(channel, queue, method)
    channel.last_queue = queue.name
    if not method.nowait:
        queue.drop_expired(channel.host.now)
        channel.reply(spec.Queue.DeclareOk(queue.name, queue.waiting, len(queue.consumers)))


def delete(channel: Channel, method: Any) -> None:
    """Delete a queue; one that is not there is no error."""
    name = queue_name(channel, method.queue)
    count = 0
    if name in channel.host.queues:
        queue = channel.host.queue(name, channel.peer)
        if method.if_unused and queue.consumers:
            raise ProtocolError(Code.PRECONDITION_FAILED, f"{placed('queue', name)} in use")
        queue.drop_expired(channel.host.now)
        count = queue.waiting
        if method.if_empty and count:
            raise ProtocolError(Code.PRECONDITION_FAILED, f"{placed('queue', name)} not empty")
        channel.host.delete_queue(queue)
    if not method.nowait:
        channel.reply(spec.Queue.DeleteOk(count))


def bind(channel: Channel, method: Any) -> None:
    """Lead what matches a key from an exchange to a queue."""
    exchange_name = as_name(method.exchange)
    name = queue_name(channel, method.queue)
    key = as_key(method.routing_key)
    _check_not_default(exchange_name)
    queue = channel.host.queue(name, channel.peer)
    exchange = channel.host.exchange(exchange_name)
    if exchange is None:
        raise not_found("exchange", exchange_name)
    channel.host.bind(queue, exchange, _full_key(name, method.queue, key))
    if not method.nowait:
        channel.reply(spec.Queue.BindOk())


def unbind(channel: Channel, method: Any) -> None:
    """Undo a binding; one that is not there is no error, even where the queue belongs to another connection."""
    exchange_name = as_name(method.exchange)
    name = queue_name(channel, method.queue)
    key = _full_key(name, method.queue, as_key(method.routing_key))
    _check_not_default(exchange_name)
    exchange = channel.host.exchange(exchange_name)
    queue = channel.host.queues.get(name)
    if exchange is not None and queue is not None and (exchange_name, key) in queue.bindings:
        channel.host.unbind(channel.host.queue(name, channel.peer), exchange_name, key)
    channel.reply(spec.Queue.UnbindOk())


def purge(channel: Channel, method: Any) -> None:
    """Drop what waits in a queue."""
    queue = channel.host.queue(queue_name(channel, method.queue), channel.peer)
    queue.drop_expired(channel.host.now)
    count = queue.purge()
    if not method.nowait:
        channel.reply(spec.Queue.PurgeOk(count))


def queue_name(channel: Channel, value: str | bytes) -> bytes:
    """Return the name of the queue that a client means: an empty one is that which it declared last.

    Raises:
        ProtocolError: 404, it declared none.
    """
    name = as_name(value) or channel.last_queue
    if not name:
        raise ProtocolError(Code.NOT_FOUND, "no previously declared queue")
    return name


def _full_key(name: bytes, given: str | bytes, key: bytes) -> bytes:
    """Return the binding key: where the client gave neither queue nor key, it is the queue's name (1.7.2.3)."""
    return key if key or given else name


def _check_not_default(exchange: bytes) -> None:
    if not exchange:
        raise ProtocolError(Code.ACCESS_REFUSED, "operation not permitted on the default exchange")


def _new_queue(channel: Channel, name: bytes, method: Any) -> Queue:
    if _is_durable(method):
        raise not_offered("durable queues")
    check_queue(name, method.arguments)
    return channel.host.add_queue(name, channel.peer, method.exclusive, method.auto_delete, method.arguments)


def _is_durable(method: Any) -> bool:
    """Return whether a queue is meant to outlive the broker; an exclusive one cannot, whatever a client says."""
    return bool(method.durable and not method.exclusive)


def _check_same(channel: Channel, queue: Queue, method: Any) -> None:
    if queue.owner is not None and queue.owner is not channel.peer:
        raise locked(queue.name)
    check_same_flag("queue", queue.name, "durable", _is_durable(method), False)
    check_same_flag("queue", queue.name, "auto_delete", method.auto_delete, queue.auto_delete)
    if method.exclusive != (queue.owner is not None):
        raise locked(queue.name)
    check_queue(queue.name, method.arguments)
    check_same_arguments(queue.name, method.arguments, queue.arguments)


HANDLERS: dict[int, Callable[[Channel, Any], None]] = {
    spec.Queue.Declare.INDEX: declare,
    spec.Queue.Delete.INDEX: delete,
    spec.Queue.Bind.INDEX: bind,
    spec.Queue.Unbind.INDEX: unbind,
    spec.Queue.Purge.INDEX: purge,
}

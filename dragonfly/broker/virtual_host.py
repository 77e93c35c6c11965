"""The exchanges, the queues and the bindings between them: all that clients share.

Rules:
1. There is one virtual host, `/`. Its default exchange leads each routing key to the queue of that name.
2. Where a publish goes is worked out once and remembered, until an exchange, a queue or a binding comes or goes.
3. A queue takes its bindings with it; an auto-delete exchange goes with its last binding, an auto-delete queue with its
   last consumer, an exclusive queue with its connection.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dragonfly.broker.errors import Code, ProtocolError, not_found, placed
from dragonfly.broker.exchange import TopicExchange
from dragonfly.broker.memory import Memory
from dragonfly.broker.queue import Consumer, Queue

_REMEMBERED_ROUTES = 10_000
_MANDATORY, _IMMEDIATE = 1, 2


class Route(NamedTuple):
    """Where a publish goes.

    Args:
        address: exchange and routing key, as they follow one another on the wire.
        queues: where the message goes.
        is_mandatory: whether it comes back where there is no queue.
    """

    address: bytes
    queues: tuple[Queue, ...]
    is_mandatory: bool


class VirtualHost:
    """Everything that the clients of one broker share.

    Args:
        memory: where the bytes in the queues are counted.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        # The time of what is going on, s, monotonic: told by whoever calls.
        self.now = 0.0
        self.queues: dict[bytes, Queue] = {}
        self._exchanges: dict[bytes, TopicExchange[Queue]] = {}
        self._routes: dict[bytes, Route] = {}

    def route(self, arguments: bytes) -> Route:
        """Return where a publish goes.

        Args:
            arguments: those of the method, as they stand in its frame.

        Raises:
            ProtocolError: 404 there is no such exchange, 540 it is `immediate`, 501 these are no such arguments.
        """
        route = self._routes.get(arguments)
        if route is None:
            route = self._new_route(arguments)
            if len(self._routes) >= _REMEMBERED_ROUTES:
                self._routes.clear()
            self._routes[arguments] = route
        return route

    def exchange(self, name: bytes) -> TopicExchange[Queue] | None:
        """Return an exchange."""
        return self._exchanges.get(name)

    def add_exchange(self, name: bytes, auto_delete: bool) -> None:
        """Make a topic exchange."""
        self._exchanges[name] = TopicExchange(name, auto_delete)

    def delete_exchange(self, name: bytes) -> None:
        """Delete an exchange with all its bindings."""
        self._routes.clear()
        if self._exchanges.pop(name, None) is not None:
            for queue in self.queues.values():
                for binding in [binding for binding in queue.bindings if binding[0] == name]:
                    del queue.bindings[binding]

    def queue(self, name: bytes, user: object) -> Queue:
        """Return a queue that a connection may use.

        Args:
            name: of the queue.
            user: the connection.

        Raises:
            ProtocolError: 404 there is none, 405 it belongs to another connection.
        """
        queue = self.queues.get(name)
        if queue is None:
            raise not_found("queue", name)
        if queue.owner is not None and queue.owner is not user:
            raise locked(name)
        return queue

    def add_queue(
        self, name: bytes, declarer: object, exclusive: bool, auto_delete: bool, arguments: dict[str, Any]
    ) -> Queue:
        """Make a queue."""
        self._routes.clear()
        queue = self.queues[name] = Queue(
            name,
            self.memory,
            owner=declarer if exclusive else None,
            auto_delete=auto_delete,
            max_length=arguments.get("x-max-length"),
            arguments=arguments,
        )
        queue.declarer = declarer
        return queue

    def delete_queue(self, queue: Queue) -> None:
        """Delete a queue with its bindings and all that is in it."""
        if self.queues.pop(queue.name, None) is None:
            return
        self._routes.clear()
        bindings, queue.bindings = queue.bindings, {}
        for exchange, key in bindings:
            self._unbind(queue, exchange, key)
        queue.delete()

    def bind(self, queue: Queue, exchange: TopicExchange[Queue], key: bytes) -> None:
        """Lead what matches the key to the queue."""
        if exchange.bind(queue, key):
            queue.bindings[exchange.name, key] = None
            self._routes.clear()

    def unbind(self, queue: Queue, exchange: bytes, key: bytes) -> None:
        """Undo a binding, if it is there."""
        if (exchange, key) in queue.bindings:
            del queue.bindings[exchange, key]
            self._routes.clear()
            self._unbind(queue, exchange, key)

    def remove_consumer(self, queue: Queue, consumer: Consumer) -> None:
        """Let somebody consume no longer; this may end the queue."""
        queue.remove_consumer(consumer)
        if queue.auto_delete and not queue.consumers:
            self.delete_queue(queue)

    def drop_expired(self, now: float) -> None:
        """Drop what expired in queues that nobody looks at."""
        for queue in self.queues.values():
            queue.drop_expired(now)

    def shed(self, arriving: dict[object, int]) -> object:
        """Delete the queues of whoever declared those that hold most, and return who that is.

        Args:
            arriving: bytes of messages that connections have not yet sent to their end.
        """
        held = dict(arriving)
        for queue in self.queues.values():
            held[queue.declarer] = held.get(queue.declarer, 0) + queue.size
        holder = max(held, key=lambda candidate: held[candidate], default=None)
        for queue in [queue for queue in self.queues.values() if queue.declarer is holder]:
            self.delete_queue(queue)
        return holder

    def _unbind(self, queue: Queue, name: bytes, key: bytes) -> None:
        exchange = self._exchanges[name]
        exchange.unbind(queue, key)
        if exchange.auto_delete and not exchange.bindings:
            del self._exchanges[name]

    def _new_route(self, arguments: bytes) -> Route:
        exchange, key, bits = _publish(arguments)
        if bits & _IMMEDIATE:
            raise ProtocolError(Code.NOT_IMPLEMENTED, "immediate=true")
        queues: tuple[Queue, ...]
        if not exchange:
            queues = (self.queues[key],) if key in self.queues else ()
        elif exchange in self._exchanges:
            queues = self._exchanges[exchange].route(key)
        else:
            raise not_found("exchange", exchange)
        return Route(arguments[2:-1], queues, bool(bits & _MANDATORY))


def locked(name: bytes) -> ProtocolError:
    """Return the error that a queue belongs to another connection, in RabbitMQ's words."""
    return ProtocolError(
        Code.RESOURCE_LOCKED,
        f"cannot obtain exclusive access to locked {placed('queue', name)}. It could be originally declared on another"
        " connection or the exclusive property value does not match that of the original declaration.",
    )


def _publish(arguments: bytes) -> tuple[bytes, bytes, int]:
    """Return exchange, routing key and bits of a basic.publish (after a short integer without meaning today)."""
    try:
        exchange_end = 3 + arguments[2]
        key_end = exchange_end + 1 + arguments[exchange_end]
        bits = arguments[key_end]
    except IndexError:
        key_end = -2
    if key_end + 1 != len(arguments):
        raise ProtocolError(Code.FRAME_ERROR, "cannot decode the arguments of basic.publish")
    return arguments[3:exchange_end], arguments[exchange_end + 1 : key_end], bits

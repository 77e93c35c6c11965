"""The exchanges, the queues and the bindings between them: all that clients share.

Rules:
1. There is one virtual host, `/`. Its default exchange leads each routing key to the queue of that name; amq.topic is
   there from the beginning.
2. Where a publish goes is worked out once and remembered, until an exchange, a queue or a binding comes or goes, or
   until so many routes are known that it is time to begin anew.
3. A queue takes its bindings with it; an auto-delete exchange goes with its last binding, an auto-delete queue with its
   last consumer, an exclusive queue with its connection.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dragonfly.broker.errors import Code, ProtocolError, not_found, not_offered, placed
from dragonfly.broker.exchange import TopicExchange
from dragonfly.broker.memory import Memory
from dragonfly.broker.queue import Consumer, Queue

# How many routes are remembered, and how many bytes they may take. One takes, roughly, its two keys and two tuples, of
# which that of the queues is long where many are bound.
_REMEMBERED_ROUTES, _REMEMBERED_BYTES = 10_000, 4 * 1024 * 1024
_ROUTE_SIZE, _POINTER_SIZE = 300, 8
_MANDATORY, _IMMEDIATE = 1, 2
# What a virtual host has from its beginning (AMQP 0-9-1, 3.1.3.1 to 3.1.3.4), and what of it is not offered.
AMQ_TOPIC = b"amq.topic"
_NOT_OFFERED = frozenset({b"amq.direct", b"amq.fanout", b"amq.headers", b"amq.match", b"amq.rabbitmq.trace"})


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
        self._exchanges: dict[bytes, TopicExchange[Queue]] = {AMQ_TOPIC: TopicExchange(AMQ_TOPIC)}
        self._routes: dict[bytes, Route] = {}
        self._routes_size = 0

    def route(self, arguments: bytes) -> Route:
        """Return where a publish goes.

        Args:
            arguments: those of the method, as they stand in its frame.

        Raises:
            ProtocolError: 404 there is no such exchange, 540 it or `immediate` is not offered, 501 these are no such
                arguments.
        """
        route = self._routes.get(arguments)
        if route is None:
            route = self._new_route(arguments)
            self._remember(arguments, route)
        return route

    def exchange(self, name: bytes) -> TopicExchange[Queue] | None:
        """Return an exchange, None where there is none of this name.

        Raises:
            ProtocolError: 540, RabbitMQ has it and this broker has not.
        """
        if name in _NOT_OFFERED:
            raise not_offered(f"exchange {name.decode()}, only {AMQ_TOPIC.decode()}")
        return self._exchanges.get(name)

    def add_exchange(self, name: bytes, auto_delete: bool) -> None:
        """Make a topic exchange."""
        self._exchanges[name] = TopicExchange(name, auto_delete)

    def delete_exchange(self, name: bytes) -> None:
        """Delete an exchange with all its bindings."""
        self._forget_routes()
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
        self._forget_routes()
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
        self._forget_routes()
        bindings, queue.bindings = queue.bindings, {}
        for exchange, key in bindings:
            self._unbind(queue, exchange, key)
        queue.delete()

    def bind(self, queue: Queue, exchange: TopicExchange[Queue], key: bytes) -> None:
        """Lead what matches the key to the queue."""
        if exchange.bind(queue, key):
            queue.bindings[exchange.name, key] = None
            self._forget_routes()

    def unbind(self, queue: Queue, exchange: bytes, key: bytes) -> None:
        """Undo a binding, if it is there."""
        if (exchange, key) in queue.bindings:
            del queue.bindings[exchange, key]
            self._forget_routes()
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

    def shed(self, by_connection: dict[object, int]) -> object:
        """Delete the queues of whoever holds most, and return who that is: who declared them; None is nobody.

        Args:
            by_connection: bytes that connections hold beside their queues.
        """
        held = {connection: size for connection, size in by_connection.items() if size}
        for queue in self.queues.values():
            if queue.size:
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

    def _remember(self, arguments: bytes, route: Route) -> None:
        size = _ROUTE_SIZE + 2 * len(arguments) + _POINTER_SIZE * len(route.queues)
        if len(self._routes) >= _REMEMBERED_ROUTES or self._routes_size + size > _REMEMBERED_BYTES:
            self._forget_routes()
        self._routes[arguments] = route
        self._routes_size += size

    def _forget_routes(self) -> None:
        self._routes.clear()
        self._routes_size = 0

    def _new_route(self, arguments: bytes) -> Route:
        exchange, key, bits = _publish(arguments)
        if bits & _IMMEDIATE:
            raise ProtocolError(Code.NOT_IMPLEMENTED, "immediate=true")
        queues: tuple[Queue, ...]
        if not exchange:
            queues = (self.queues[key],) if key in self.queues else ()
        else:
            found = self.exchange(exchange)
            if found is None:
                raise not_found("exchange", exchange)
            queues = found.route(key)
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

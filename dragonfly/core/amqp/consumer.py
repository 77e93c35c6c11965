"""A queue, what it is bound to, and the channel that consumes it.

A queue is either ours alone and goes with us, or durable: then it outlives us and the broker, others may consume it as
well, and what nobody acknowledged is delivered again.

The queue is declared and bound by the declarer and consumed on a channel of its own, so that no failed declare or
publish can close the channel whose end deletes the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.packet import Delivery
from dragonfly.core.routing import checked_key


class Consumer:
    """A queue and its consumption, opened afresh on each connection.

    Args:
        connection: the connection.
        declarer: declares queue and bindings.
        queue: name of the queue.
        bindings: pairs of exchange and binding key.
        deliver: called with each message, on the I/O thread; it must not block.
        arguments: further arguments of the queue.
        prefetch: how many messages may be on their way unacknowledged; 0 is unlimited and needs no acknowledgement.
        durable: whether the queue stays when its connection goes; by default it is exclusive and goes, too.

    Raises:
        DriplineValueError: a key is longer than AMQP can carry.
    """

    def __init__(
        self,
        connection: Connection,
        declarer: Declarer,
        queue: str,
        bindings: Iterable[tuple[str, str]],
        deliver: Callable[[Delivery], None],
        *,
        arguments: dict[str, Any] | None = None,
        prefetch: int = 0,
        durable: bool = False,
    ) -> None:
        self.queue = checked_key(queue)
        self._connection = connection
        self._declarer = declarer
        self._bindings = [(exchange, checked_key(key)) for exchange, key in bindings]
        self._deliver = deliver
        self._arguments = arguments
        self._prefetch = prefetch
        self._durable = durable
        self._channel: Any = None
        self._tag = ""
        self._cancelling: Callable[[], None] | None = None
        # Called where the queue was there and is gone although the connection stands.
        self.on_lost: Callable[[str], None] = lambda text: None

    def rename(self, queue: str, bindings: Iterable[tuple[str, str]] | None = None) -> None:
        """Take another queue from the next `open` on; I/O thread.

        A queue whose name nobody has to know gets a new one on each connection: after a half-open link the broker holds
        the old one for the dead connection, until its heartbeat ends that.

        Args:
            queue: its name.
            bindings: pairs of exchange and binding key; by default they stay.
        """
        self.queue = checked_key(queue)
        if bindings is not None:
            self._bindings = [(exchange, checked_key(key)) for exchange, key in bindings]

    def open(self, on_ready: Callable[[], None], on_refused: Callable[[int, str], None]) -> None:
        """Declare, bind and consume; I/O thread, on a connection that is up.

        Args:
            on_ready: called when messages flow.
            on_refused: called with code and text where the broker does not allow it (405: the queue is another's).
        """
        done: list[Callable[[], None]] = []

        def bound(_frame: Any) -> None:
            done[0]()
            self._connection.open_channel(lambda channel: self._consume(channel, on_ready))

        done.append(self._declarer.declare(lambda channel: self._declare(channel, bound), on_refused))

    def bind_again(self) -> None:
        """Declare exchanges, queue and bindings once more while messages are consumed; I/O thread.

        Somebody may have deleted an exchange and made it again: the bindings went with it, without any event.
        """
        done: list[Callable[[], None]] = []

        def bound(_frame: Any) -> None:
            done[0]()

        self._declarer.declare_exchanges()
        done.append(self._declarer.declare(lambda channel: self._declare(channel, bound), self._on_refused_again))

    def _on_refused_again(self, _code: int, text: str) -> None:
        self._on_gone(text)

    def count(self, then: Callable[[int], None]) -> None:
        """Tell how many messages are in the queue; I/O thread."""

        def refused(_code: int, _text: str) -> None:
            then(0)  # the queue is gone, and what was in it

        def counted(frame: Any) -> None:
            done[0]()
            then(int(frame.method.message_count))

        done: list[Callable[[], None]] = []
        done.append(
            self._declarer.declare(
                lambda channel: channel.queue_declare(self.queue, passive=True, callback=counted), refused
            )
        )

    def cancel(self, then: Callable[[], None]) -> None:
        """Stop consuming, which deletes a queue of our own; `then` is called after the last message. I/O thread."""
        if self._channel is None or not self._channel.is_open:
            then()
            return
        self._cancelling = then
        self._connection.on_delivery(self._channel, None)  # pika drops or gives back what still comes
        self._channel.basic_cancel(self._tag, callback=lambda frame: self._cancelled())

    def is_current(self, delivery: Delivery) -> bool:
        """Tell whether a message came on the present channel, so that it can be acknowledged; any thread."""
        return self._channel is not None and delivery.channel is self._channel

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge a message and all before it, where it came on the present channel; I/O thread."""
        if self.is_current(delivery) and self._channel.is_open:
            self._channel.basic_ack(delivery.tag, multiple=True)

    def give_back(self) -> None:
        """End the channel, so that a durable queue delivers again what was not acknowledged. I/O thread."""
        if self._channel is not None and self._channel.is_open:
            self._channel.close(reply_text="what was delivered is given back")

    def _declare(self, channel: Any, bound: Callable[[Any], None]) -> None:
        own = not self._durable
        channel.queue_declare(
            self.queue, durable=self._durable, exclusive=own, auto_delete=own, arguments=self._arguments
        )
        for exchange, key in self._bindings[:-1]:
            channel.queue_bind(self.queue, exchange, key)
        exchange, key = self._bindings[-1]
        channel.queue_bind(self.queue, exchange, key, callback=bound)

    def _consume(self, channel: Any, on_ready: Callable[[], None]) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_cancel_callback(lambda frame: self._on_gone("the broker ended the consumption"))
        self._connection.on_delivery(channel, self._deliver)
        if self._prefetch:
            channel.basic_qos(prefetch_count=self._prefetch)
        self._tag = channel.basic_consume(
            self.queue, self._on_message, auto_ack=not self._prefetch, callback=lambda frame: on_ready()
        )

    def _on_message(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self._deliver(Delivery(method, properties, body, channel))

    def _on_closed(self, channel: Any, reason: Any) -> None:
        if channel is self._channel:
            self._on_gone(getattr(reason, "reply_text", str(reason)))

    def _on_gone(self, text: str) -> None:
        channel, self._channel = self._channel, None
        if channel is not None and channel.is_open:  # the consumption ended, its channel did not
            channel.close()
        if self._cancelling is not None:
            self._cancelled()
        elif self._connection.is_up:
            self.on_lost(text)

    def _cancelled(self) -> None:
        then, self._cancelling = self._cancelling, None
        if then is not None:
            then()

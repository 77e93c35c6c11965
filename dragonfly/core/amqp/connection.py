"""One AMQP connection and the thread that alone touches it.

Rules:
1. pika is not thread-safe: everything of this room runs on the I/O thread, except what says otherwise. Other threads
   hand their work over with `call`.
2. Nothing on the I/O thread may block, so that heartbeats never starve.
3. The I/O loop outlives the connection: timers and handed-over work survive a reconnect.
4. A lost connection comes back by itself, for ever: exponential back-off with jitter, capped at 2 s once the broker was
   reached, so that a service is back soon, and at 5 s before.
5. Of several brokers the first that answers is used. When it goes, the next is tried, then the others, and there is a
   pause after each round. Who waits for the connection hears of a failed round, not of each try.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any

from dragonfly.core.amqp.failure import ConnectionFailure, failure_of, joined, reason_of
from dragonfly.core.amqp.loop import Loop
from dragonfly.core.amqp.packet import Outgoing
from dragonfly.core.amqp.parameters import parameters
from dragonfly.core.amqp.tolerant_connection import OnConfirm, OnDelivery, TolerantConnection
from dragonfly.core.broker_address import Broker, BrokerAddress
from dragonfly.core.credentials import CredentialsError, broker_addresses
from dragonfly.core.exceptions import DriplineAMQPConnectionError

logger = logging.getLogger(__name__)

DEFAULT_HEARTBEAT = 10.0
FIRST_RETRY = 0.1
LAST_RETRY = 2.0
LAST_RETRY_BEFORE_REACHED = 5.0
CLOSE_TIMEOUT = 2.0
CLOSE_TIMEOUT_UNHEARD = 0.3


class Connection:
    """A connection to a broker that comes back by itself.

    Args:
        broker: HOST, HOST:PORT or an AMQP URL, or several to try in turn; None is localhost.
        name: shown in the broker's list of connections.
        heartbeat: interval of the AMQP heartbeat, s.

    Raises:
        DriplineValueError: `broker` is no address, or what says who we are cannot be used.
    """

    def __init__(self, broker: Broker, name: str, heartbeat: float = DEFAULT_HEARTBEAT) -> None:
        self._addresses = list(dict.fromkeys(broker_addresses(broker)))
        # The one in use or being tried.
        self.address: BrokerAddress = self._addresses[0]
        self.name = name
        self.heartbeat = heartbeat
        self.blocked: str | None = None
        # How often it came back.
        self.reconnects = 0
        # Called on the I/O thread, in the order in which they were entered.
        self.on_up: list[Callable[[], None]] = []
        self.on_down: list[Callable[[ConnectionFailure], None]] = []
        self.on_blocked: list[Callable[[str], None]] = []
        self.on_unblocked: list[Callable[[], None]] = []
        self._loop: Any = None
        self._pika: Any = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._ended = threading.Event()
        self._stopping = False
        self._up = False
        self._was_up = False
        self._retry_delay = FIRST_RETRY
        # Why those failed that were tried since the last pause.
        self._failures: list[ConnectionFailure] = []
        self._last_used: BrokerAddress | None = None
        # Why we ended it ourselves.
        self._dropped = ""

    @property
    def is_up(self) -> bool:
        """Whether there is a connection that is not about to close."""
        # pika tells the end of each channel before that of the connection, and knows better than our own flag then.
        return self._up and bool(self._pika.is_open)

    def start(self) -> None:
        """Start the I/O thread, which connects; any thread. A second call does nothing.

        Raises:
            DriplineAMQPConnectionError: it was stopped.
            CredentialsError: a file that an address names cannot be used.
        """
        with self._starting:
            if self._stopping:
                raise DriplineAMQPConnectionError(f"the connection to broker {self.address.display} was closed")
            if self._thread is not None:
                return
            for address in self._addresses:  # a file that cannot be used is no reason to try again
                self._parameters(address)
            logger.info("connecting to broker %s", " or ".join(address.display for address in self._addresses))
            self._loop = Loop()
            self._loop.add_callback_threadsafe(self._connect)
            # A daemon, so that a script which forgets to close its Interface still ends.
            self._thread = threading.Thread(target=self._run, name=f"amqp {self.name}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Close the connection and end the I/O thread; any thread but that one. A second call does nothing."""
        with self._starting:
            self._stopping = True
            thread = self._thread
        if thread is None or not thread.is_alive():
            return
        self.call(self._close)
        # A broker that takes no messages does not read the good-bye either, and one that does not answer never will.
        thread.join(CLOSE_TIMEOUT if self._up and self.blocked is None else CLOSE_TIMEOUT_UNHEARD)
        if thread.is_alive():  # the broker does not answer: leave without its good-bye
            self.call(self._hang_up)
            thread.join(CLOSE_TIMEOUT)

    def call(self, action: Callable[[], None]) -> None:
        """Run something on the I/O thread soon, unless that thread has ended; any thread."""
        if not self._ended.is_set():
            self._loop.add_callback_threadsafe(action)

    def call_later(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        """Run something on the I/O thread after a time, in s; I/O thread only. The result, called, forgets it."""
        handle = self._loop.call_later(seconds, action)
        return lambda: self._loop.remove_timeout(handle)

    def open_channel(self, on_open: Callable[[Any], None]) -> None:
        """Open a channel of the present connection."""
        self._pika.channel(on_open_callback=on_open)

    def publish(self, channel: Any, outgoing: Outgoing) -> None:
        """Send a message on a channel that is open; I/O thread."""
        self._pika.publish(channel, outgoing)

    def confirm(self, channel: Any, action: OnConfirm) -> None:
        """Have the broker confirm what a channel publishes, and its word taken by a function; I/O thread."""
        self._pika.confirm(channel, action)

    def on_delivery(self, channel: Any, action: OnDelivery | None) -> None:
        """Have the messages that a channel delivers taken by a function, or again by pika alone; I/O thread."""
        self._pika.on_delivery(channel, action)

    def together(self, action: Callable[[], None]) -> None:
        """Do something, and send what it sends in one piece; I/O thread."""
        link = self._pika
        if link is None:
            action()
            return
        link.hold()
        try:
            action()
        finally:
            link.release()

    def drop(self, reason: str) -> None:
        """End the present connection, so that all is set up afresh on the next one."""
        if self._pika is not None and self._pika.is_open:
            logger.debug("the connection to broker %s is opened again: %s", self.address.display, reason)
            self._dropped = reason
            self._pika.close()

    def _run(self) -> None:
        try:
            self._loop.start()
        finally:
            self._ended.set()
            if self._stopping:
                self._loop.finish()  # who handed something over at the last moment learns that nobody is there
            else:
                self._crashed()
            self._loop.close()

    def _crashed(self) -> None:
        """Tell everybody that this thread is ending by an error, which Python prints: nobody shall wait for ever."""
        self._up = False
        self._tell_down(f"the thread of the connection to broker {self.address.display} ended by an error", final=True)

    def _connect(self) -> None:
        if self._stopping:
            return
        try:
            settings = self._parameters(self.address)
        except CredentialsError as err:  # it could be used before
            self._on_failed(None, err)
            return
        self._pika = TolerantConnection(
            settings,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_failed,
            on_close_callback=self._on_closed,
            custom_ioloop=self._loop,
        )

    def _on_open(self, connection: Any) -> None:
        if self._stopping:
            connection.close()
            return
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        self._retry_delay = FIRST_RETRY
        self._failures.clear()
        self._tell_which()
        self.reconnects += self._was_up
        self._up = self._was_up = True
        for action in self.on_up:
            action()

    def _on_failed(self, _connection: Any, error: BaseException) -> None:
        self._failures.append(failure_of(self.address, error))
        if self._stopping or len(self._failures) == len(self._addresses):
            failures, self._failures = self._failures, []
            self._next_address()
            self._gone(joined(failures))
        else:
            logger.debug("%s", self._failures[-1].text)
            self._next_address()
            self._loop.call_later(FIRST_RETRY * random.uniform(0.0, 1.0) if self._was_up else 0.0, self._connect)

    def _on_closed(self, _connection: Any, error: BaseException) -> None:
        text = f"the connection to broker {self.address.display} was lost: {self._dropped or reason_of(error)}"
        if not self._dropped:
            self._next_address()
        self._dropped = ""
        self._gone(ConnectionFailure(text, code=getattr(error, "reply_code", 0)))

    def _next_address(self) -> None:
        if not self._stopping:
            self.address = self._addresses[(self._addresses.index(self.address) + 1) % len(self._addresses)]

    def _tell_which(self) -> None:
        """Say which of several brokers it is, where that is news; loudly where it is another one than before."""
        if len(self._addresses) > 1 and self.address is not self._last_used:
            level = logging.INFO if self._last_used is None else logging.WARNING
            logger.log(level, "%s uses broker %s now", self.name, self.address.display)
        self._last_used = self.address

    def _parameters(self, address: BrokerAddress) -> Any:
        is_hurried = self._was_up or len(self._addresses) > 1
        return parameters(address, self.name, self.heartbeat, is_hurried=is_hurried)

    def _gone(self, failure: ConnectionFailure) -> None:
        self._up = False
        self.blocked = None
        if self._stopping:
            self._leave()
            return
        logger.debug("%s", failure.text)
        for action in self.on_down:
            action(failure)
        # Jitter, so that a hundred services do not knock at a restarted broker in the same instant.
        self._loop.call_later(self._retry_delay * random.uniform(0.7, 1.0), self._connect)
        cap = LAST_RETRY if self._was_up else LAST_RETRY_BEFORE_REACHED
        self._retry_delay = min(2 * self._retry_delay, cap)

    def _on_blocked(self, _connection: Any, method: Any) -> None:
        self.blocked = str(method.method.reason)
        logger.info("broker %s takes no messages: %s", self.address.display, self.blocked)
        for action in self.on_blocked:
            action(self.blocked)

    def _on_unblocked(self, _connection: Any, _method: Any) -> None:
        self.blocked = None
        logger.info("broker %s takes messages again", self.address.display)
        for action in self.on_unblocked:
            action()

    def _close(self) -> None:
        if self._pika is None or self._pika.is_closed:
            self._leave()
        elif self._pika.is_open:
            self._pika.close()
        # Else it is just being made or closed, and its end leads to `_leave`: pika cannot give up a half-made
        # connection without an error of its own.

    def _hang_up(self) -> None:
        if self._pika is None or self._pika.is_closed or not self._pika.hang_up():
            self._leave()  # else its end leads there

    def _leave(self) -> None:
        self._tell_down(f"the connection to broker {self.address.display} was closed", final=True)
        self._loop.stop()

    def _tell_down(self, text: str, final: bool) -> None:
        for action in self.on_down:
            action(ConnectionFailure(text, final=final))

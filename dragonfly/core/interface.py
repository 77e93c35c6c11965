"""Interface: requests from scripts, notebooks and the command line."""

from __future__ import annotations

import queue
import time
from types import TracebackType
from typing import Any

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.constants import (
    DEFAULT_TIMEOUT,
    OP_CMD,
    OP_CONFIG,
    OP_GET,
    OP_RUN,
    OP_SEND,
    OP_SET,
    OPERATION_NAMES,
)
from dragonfly.core.exceptions import DriplineError, DriplineTimeoutError, exception_from_reply
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.requester import Pending, Requester, is_returned

DEFAULT_QUIET_TIME = 0.5


class Interface:
    """A client of a mesh.

    It connects at the first request, may be used by several threads, and closes with `close()` or at the end of a
    `with` block:

        with Interface("localhost") as mesh:
            print(mesh.get("peaches").payload["value_cal"])

    Args:
        broker: HOST, HOST:PORT or an AMQP URL; None is localhost.
        name: shown in the broker's list of connections.
        confirm_retcodes: whether a reply with a return code from 100 on raises the exception that it stands for.
        timeout: how long a request waits for its reply, s.

    Raises:
        DriplineValueError: `broker` is no address.
    """

    def __init__(
        self,
        broker: str | None = None,
        name: str | None = None,
        confirm_retcodes: bool = True,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self._confirm_retcodes = confirm_retcodes
        self._timeout = timeout
        self._connection = Connection(broker, name or "interface")
        declarer = Declarer(self._connection)
        self._requester = Requester(self._connection, declarer, Publisher(self._connection, declarer))

    def __enter__(self) -> Interface:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; requests that wait, and later ones, raise DriplineAMQPConnectionError."""
        self._connection.stop()

    def get(self, target: str, *, timeout: float | None = None, lockout_key: str | None = None) -> ReplyMessage:
        """Get the value of an endpoint, or of an attribute as `endpoint.attribute`.

        Args:
            target: endpoint, or endpoint and attribute.
            timeout: how long to wait for the reply, s; the Interface's own by default.
            lockout_key: key of a locked endpoint.

        Raises:
            DriplineError: the one that the reply's return code stands for; DriplineTimeoutError where no reply comes,
                DriplineAMQPConnectionError where the broker cannot be reached. So do all other operations.
        """
        return self.request(target, OP_GET, {"values": []}, timeout, lockout_key)

    def set(
        self, target: str, value: Any, *, timeout: float | None = None, lockout_key: str | None = None, **kwargs: Any
    ) -> ReplyMessage:
        """Set the value of an endpoint, or of an attribute as `endpoint.attribute`."""
        return self.request(target, OP_SET, {"values": [value], **kwargs}, timeout, lockout_key)

    def config(
        self,
        target: str,
        attribute: str,
        value: Any = None,
        *,
        timeout: float | None = None,
        lockout_key: str | None = None,
    ) -> ReplyMessage:
        """Read an attribute of an endpoint, or set it (deprecated: get and set do the same)."""
        values = [attribute] if value is None else [attribute, value]
        return self.request(target, OP_CONFIG, {"values": values}, timeout, lockout_key)

    def cmd(
        self,
        target: str,
        method: str,
        *args: Any,
        timeout: float | None = None,
        lockout_key: str | None = None,
        **kwargs: Any,
    ) -> ReplyMessage:
        """Have an endpoint execute one of its commands."""
        return self.request(f"{target}.{method}", OP_CMD, {"values": [*args], **kwargs}, timeout, lockout_key)

    def run(
        self, target: str, *args: Any, timeout: float | None = None, lockout_key: str | None = None, **kwargs: Any
    ) -> ReplyMessage:
        """Have an endpoint do what it does on a run."""
        return self.request(target, OP_RUN, {"values": [*args], **kwargs}, timeout, lockout_key)

    def send(
        self, target: str, *commands: str, timeout: float | None = None, lockout_key: str | None = None
    ) -> ReplyMessage:
        """Have a provider pass commands to its instrument as they are."""
        return self.request(target, OP_SEND, {"values": [*commands]}, timeout, lockout_key)

    def request(
        self,
        routing_key: str,
        msgop: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
    ) -> ReplyMessage:
        """Send a request and return its reply.

        Args:
            routing_key: target, or target and specifier.
            msgop: the operation, one of the constants OP_...
            payload: `{"values": [...]}` and further keys.
            timeout: how long to wait for the reply, s; the Interface's own by default.
            lockout_key: key of a locked endpoint.

        Raises:
            DriplineError: the one that the reply's return code stands for, unless confirm_retcodes is off.
            DriplineTimeoutError: no reply came in time.
            DriplineAMQPConnectionError: the broker cannot be reached, or takes no messages.
        """
        wait = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + wait
        replies, pending = self._send(routing_key, msgop, payload, wait, lockout_key)
        try:
            reply = replies.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            operation = OPERATION_NAMES.get(msgop, str(msgop))
            raise DriplineTimeoutError(
                f"no reply to {operation} {routing_key} within {wait:g} s: its service may be busy or hung, and begins"
                " it no more; or it is not there, and a monitor of the requests exchange hides that nobody took the"
                " request"
            ) from None
        finally:
            self._requester.forget(pending)
        return self._checked(reply, routing_key)

    def request_all(
        self,
        routing_key: str,
        msgop: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
        quiet_time: float = DEFAULT_QUIET_TIME,
    ) -> list[ReplyMessage]:
        """Send a request that many services answer and return their replies.

        It ends `quiet_time` s after the last reply, and `timeout` s after the request at the latest. The arguments and
        errors are those of `request`; that no service answers is no error, and no return code raises.
        """
        wait = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + wait
        replies, pending = self._send(routing_key, msgop, payload, wait, lockout_key)
        collected: list[ReplyMessage] = []
        try:
            while (left := deadline - time.monotonic()) > 0:
                reply = replies.get(timeout=min(left, quiet_time) if collected else left)
                if isinstance(reply, DriplineError):
                    raise reply
                collected.append(reply)
                if is_returned(reply):
                    break
        except queue.Empty:
            pass
        finally:
            self._requester.forget(pending)
        return collected

    def _send(
        self, routing_key: str, msgop: int, payload: dict[str, Any], wait: float, lockout_key: str | None
    ) -> tuple[queue.SimpleQueue[Any], Pending]:
        started = time.monotonic()
        self._connection.start()
        self._requester.wait_ready(wait)
        replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        pending = Pending(replies.put)
        request = RequestMessage(msgop, payload, lockout_key=lockout_key)
        left = max(0.001, wait - (time.monotonic() - started))
        self._requester.send(routing_key, request, left, pending)
        return replies, pending

    def _checked(self, reply: ReplyMessage | DriplineError, routing_key: str) -> ReplyMessage:
        if isinstance(reply, DriplineError):
            raise reply
        if self._confirm_retcodes and reply.failed:
            text = f"nobody serves {routing_key}" if is_returned(reply) else reply.return_msg
            raise exception_from_reply(reply.retcode, text, reply.payload)
        return reply

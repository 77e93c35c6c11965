"""Interface: requests from scripts, notebooks and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any

from dragonfly.core import codec
from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.declarer import Declarer
from dragonfly.core.amqp.publisher import Publisher
from dragonfly.core.broker_address import Broker
from dragonfly.core.caller import Caller
from dragonfly.core.constants import (
    DEFAULT_QUIET_TIME,
    DEFAULT_TIMEOUT,
    OP_CMD,
    OP_CONFIG,
    OP_GET,
    OP_RUN,
    OP_SEND,
    OP_SET,
)
from dragonfly.core.message import ReplyMessage
from dragonfly.core.numbers import checked_whole
from dragonfly.core.requester import Requester


class Interface:
    """A client of a mesh.

    It connects at the first request, may be used by several threads at a time, and closes with `close()` or at the end
    of a `with` block:

        with Interface("localhost") as mesh:
            print(mesh.get("peaches").payload["value_cal"])

    Args:
        broker: HOST, HOST:PORT or an AMQP URL, or several to try in turn; None is localhost.
        name: shown in the broker's list of connections.
        confirm_retcodes: whether a reply with a return code from 100 on raises the exception that it stands for.
        timeout: how long a request waits for its reply, s.
        max_message_size: largest reply that is read, bytes.
        max_json_depth: how many arrays and objects of a reply may stand in one another.

    Raises:
        DriplineValueError: `broker` is no address, or a limit is none.
    """

    def __init__(
        self,
        broker: Broker = None,
        name: str | None = None,
        confirm_retcodes: bool = True,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        max_message_size: int = codec.DEFAULT_MAX_MESSAGE_SIZE,
        max_json_depth: int = codec.DEFAULT_MAX_DEPTH,
    ) -> None:
        self._confirm_retcodes = confirm_retcodes
        self._connection = Connection(broker, name or "interface")
        declarer = Declarer(self._connection)
        decode = partial(
            codec.decode,
            max_depth=checked_whole("max_json_depth", max_json_depth, 2),
            max_size=checked_whole("max_message_size", max_message_size, 1, unit="bytes"),
        )
        requester = Requester(self._connection, declarer, Publisher(self._connection, declarer), decode)
        self._caller = Caller(self._connection, requester, timeout)

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
        return self._caller.request(
            routing_key, msgop, payload, timeout, lockout_key, confirm_retcode=self._confirm_retcodes
        )

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
        return self._caller.request_all(routing_key, msgop, payload, timeout, lockout_key, quiet_time)

    def request_many(self, requests: Iterable[Any], timeout: float | None = None) -> Iterator[ReplyMessage]:
        """Send many requests at a time and yield their replies in the order of the requests.

            for reply in mesh.request_many(["peaches", ("set", "chips", 2), ("cmd", "waffles.ping")]):
                print(reply.retcode, reply.payload)

        It is much faster than one request after the other, since up to 1,000 are on their way at a time: so long a way
        `requests` is read ahead of the replies. Nothing is sent before the first reply is asked for, and what is still
        on its way when the generator is closed may be done without anybody hearing of it. Requests to endpoints of
        their own may run at the same time and in any order; those to one endpoint run in theirs.

        No return code raises, whatever confirm_retcodes says, since an exception would hide all the replies behind it.
        A request that failed on the way has a reply as well: code 305 where none came in time, 102 where nobody serves
        the target, 101 where the broker could not be reached or the connection was lost.

        Args:
            requests: each a target, which is a get, or a tuple (verb, target, value, ...) with one of the verbs get,
                set, config, run, cmd, send; the target of a cmd is "endpoint.method".
            timeout: how long each request waits for its reply from when it was sent, s; the Interface's own by default.

        Raises:
            DriplineValueError: one of the requests has another form, or a value that JSON cannot carry. It comes in its
                turn, after the replies to the requests before it, and nothing behind it is sent.
        """
        return self._caller.request_many(requests, timeout)

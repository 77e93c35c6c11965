"""Questions that a program asks for its own sake: monitors, counters and audit logs leave them out."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

from dragonfly.core.amqp.connection import DEFAULT_HEARTBEAT
from dragonfly.core.broker_address import Broker
from dragonfly.core.caller import Caller
from dragonfly.core.constants import BROADCAST, OP_CMD
from dragonfly.core.exceptions import DriplineError
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.pending import Pending
from dragonfly.core.requester import is_returned
from dragonfly.core.service_presence import Wire

# So many questions are on their way at a time: a service's desk holds ten times as many.
_WINDOW = 1_000
_Answer = ReplyMessage | DriplineError


class Prober:
    """A client that looks at a mesh without leaving a trace in what people watch.

    Args:
        broker: which broker; None is localhost.
        verb: of the command line, for the broker's list of connections.
        timeout: how long it waits for the broker and for each answer, s.

    Raises:
        DriplineValueError: `broker` is no address.
    """

    def __init__(self, broker: Broker, verb: str, timeout: float) -> None:
        self._timeout = timeout
        self._wire = Wire.made(broker, f"{verb}@{socket.gethostname()}", DEFAULT_HEARTBEAT, 1)

    def __enter__(self) -> Prober:
        self._wire.connection.start()
        try:
            self._wire.requester.wait_ready(self._timeout)
        except BaseException:
            self._wire.connection.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wire.connection.stop()

    def roll_call(self, quiet_time: float) -> list[ReplyMessage]:
        """Return what the services answer to a ping to all of them.

        Args:
            quiet_time: it ends so long after the last answer, s.

        Raises:
            DriplineError: the broker takes no messages, or was lost.
        """
        answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        pending = Pending(answers.put, many=True)
        deadline = time.monotonic() + self._timeout
        self._send(f"{BROADCAST}.ping", self._timeout, pending)
        collected: list[ReplyMessage] = []
        try:
            while (left := deadline - time.monotonic()) > 0:
                answer = answers.get(timeout=min(left, quiet_time) if collected else left)
                if isinstance(answer, DriplineError):
                    raise answer
                if is_returned(answer):
                    break
                collected.append(answer)
        except queue.Empty:
            pass
        finally:
            self._wire.requester.forget(pending)
        return collected

    def ask(self, targets: Sequence[str], command: str, patience: float | None = None) -> list[_Answer | None]:
        """Ask each target for a command and return the answers in their order; None where none came.

        Args:
            targets: endpoints or services.
            command: what is asked for.
            patience: how long each answer may take, s; the prober's timeout by default.
        """
        answers: list[_Answer | None] = []
        for begin in range(0, len(targets), _WINDOW):
            answers += self._asked(targets[begin : begin + _WINDOW], command, patience or self._timeout)
        return answers

    def values(self, targets: Iterable[str]) -> Iterator[ReplyMessage]:
        """Get the values of endpoints, all at a time; these requests are such as anybody's."""
        return Caller(self._wire.connection, self._wire.requester, self._timeout).request_many(targets)

    def _asked(self, targets: Sequence[str], command: str, patience: float) -> list[_Answer | None]:
        answers: queue.SimpleQueue[tuple[int, _Answer]] = queue.SimpleQueue()
        found: list[_Answer | None] = [None] * len(targets)
        pendings = [Pending(lambda answer, n=n: answers.put((n, answer))) for n in range(len(targets))]  # type: ignore[misc]
        for target, pending in zip(targets, pendings, strict=True):
            self._send(f"{target}.{command}", patience, pending)
        deadline = time.monotonic() + patience
        try:
            for _ in targets:
                number, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
                found[number] = answer
        except queue.Empty:
            pass
        finally:
            for pending in pendings:
                self._wire.requester.forget(pending)
        return found

    def _send(self, routing_key: str, timeout: float, pending: Pending) -> None:
        payload: dict[str, Any] = {"values": []}
        self._wire.requester.send(routing_key, RequestMessage(OP_CMD, payload), timeout, pending, probe=True)

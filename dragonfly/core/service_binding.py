"""How a service comes onto the mesh, and back onto it.

Rules, on each connection:
1. Ask for each name (`NAME.ping`, mandatory, all at once). A name that is returned, or not answered within 1 s (a
   monitor bound to '#' swallows the return), is free. One that is answered has an owner, and two owners would both run
   a set. Where a question could not be asked (a memory alarm), nothing is known: all are asked again. Where the broker
   forbids it, the user is not meant to have the name.
2. Declare the queue, bind, consume. A queue that is another's (405) is asked who it is; without an answer it is tried
   again for three heartbeats plus 5 s, as long as a half-open link may hold it. What is not there (404), since
   somebody deletes it or its node just dies, is tried again.
3. Every 30 s, unless the broker is blocked, ping oneself. A ping that is returned or not answered within 5 s means that
   the bindings are gone without any event: declare and bind again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import NamedTuple

from dragonfly.core.amqp.connection import Connection
from dragonfly.core.amqp.consumer import Consumer
from dragonfly.core.amqp.failure import ConnectionFailure
from dragonfly.core.constants import OP_CMD
from dragonfly.core.exceptions import DriplineAMQPError, DriplineError
from dragonfly.core.message import ReplyMessage, RequestMessage
from dragonfly.core.pending import Pending
from dragonfly.core.requester import Requester, is_returned

logger = logging.getLogger(__name__)

ASK_SECONDS = 1.0
# What a question needs until it is answered is more than an endpoint needs, and what a process once had it keeps:
# 10,000 questions at the same moment cost 23 MB (tests/bench start_up).
ASKED_AT_A_TIME, ASKED_EVERY = 500, 0.02
RETRY_SECONDS = 1.0
HALF_OPEN_SECONDS = 5.0
SELF_PING_SECONDS = 30.0
SELF_PING_PATIENCE = 5.0
_LOCKED = 405
_NOT_FOUND = 404


class _Answer(NamedTuple):
    """What came of a question: who answered, whether it is sure that nobody did, or why it may not be asked."""

    owner: ReplyMessage | None
    was_asked: bool = True
    forbidden: str = ""


Then = Callable[[_Answer], None]


class ServiceBinding:
    """Binds a service on each connection; everything here runs on the I/O thread.

    Args:
        name: the service's.
        names: all names that it answers to, its own among them.
        connection: the connection.
        requester: asks for names.
        consumer: the service's queue.
        on_bound: called each time that requests flow.
        on_failed: called with a sentence where the service cannot come onto the mesh.
    """

    def __init__(
        self,
        name: str,
        names: Iterable[str],
        connection: Connection,
        requester: Requester,
        consumer: Consumer,
        on_bound: Callable[[], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._name = name
        self._names = list(names)
        self._connection = connection
        self._requester = requester
        self._consumer = consumer
        self._on_bound = on_bound
        self._on_failed = on_failed
        # Counts connections: what an earlier one started has no say in this one.
        self._round = 0
        self._locked_since: float | None = None
        self._may_begin = False
        self._stopped = False
        consumer.on_lost = self._on_lost
        connection.on_down.append(self._went_down)
        requester.on_ready.append(self._begin)

    def begin(self) -> None:
        """Begin on the present connection, where there is one; on the next ones it begins by itself."""
        self._may_begin = True
        if self._requester.is_ready:
            self._begin()

    def stop(self) -> None:
        """Leave things as they are from now on."""
        self._stopped = True

    def _went_down(self, _failure: ConnectionFailure) -> None:
        # Else what was to be opened soon would open on the next connection, and find itself when it asks who is there.
        self._round += 1

    def _begin(self) -> None:
        self._round += 1
        self._locked_since = None
        # A connection that comes before `begin` is that of a service whose instruments are still being started.
        if self._may_begin and not self._stopped:
            self._ask_all(self._round)

    def _ask_all(self, this_round: int) -> None:
        answers: dict[str, _Answer] = {}

        def answered(name: str, answer: _Answer) -> None:
            answers[name] = answer
            if len(answers) == len(self._names) and self._goes_on(this_round):
                self._decide(this_round, answers)

        names = iter(self._names)

        def ask_some() -> None:
            some = list(islice(names, ASKED_AT_A_TIME))
            for name in some:
                self._ask(name, partial(answered, name))
            if some and self._goes_on(this_round):
                self._connection.call_later(ASKED_EVERY, ask_some)

        ask_some()

    def _decide(self, this_round: int, answers: dict[str, _Answer]) -> None:
        owners = {name: answer.owner for name, answer in answers.items() if answer.owner is not None}
        forbidden = next((answer.forbidden for answer in answers.values() if answer.forbidden), "")
        if owners:
            self._on_failed(_taken(self._name, owners))
        elif forbidden:
            self._on_failed(f"the broker refuses {self._name} one of its names: {forbidden}")
        elif all(answer.was_asked for answer in answers.values()):
            self._open(this_round)
        else:
            self._connection.call_later(RETRY_SECONDS, lambda: self._ask_again(this_round))

    def _ask_again(self, this_round: int) -> None:
        if self._goes_on(this_round):
            self._ask_all(this_round)

    def _goes_on(self, this_round: int) -> bool:
        return this_round == self._round and not self._stopped

    def _ask(self, name: str, then: Then, patience: float = ASK_SECONDS) -> None:
        """Ping a name and tell what came of it, once."""
        told: list[bool] = []

        def tell(answer: _Answer) -> None:
            if not told:
                told.append(True)
                forget()
                self._requester.forget(pending)
                then(answer)

        def on_reply(reply: ReplyMessage | DriplineError) -> None:
            if isinstance(reply, DriplineError):
                forbidden = str(reply) if isinstance(reply, DriplineAMQPError) else ""
                tell(_Answer(None, was_asked=False, forbidden=forbidden))
            else:
                tell(_Answer(None if is_returned(reply) else reply))

        pending = Pending(on_reply)
        forget = self._connection.call_later(patience, lambda: tell(_Answer(None, was_asked=pending.was_sent)))
        request = RequestMessage(OP_CMD, {"values": []})
        self._requester.send(f"{name}.ping", request, patience, pending, probe=True)

    def _open(self, this_round: int) -> None:
        if self._goes_on(this_round):
            self._consumer.open(partial(self._bound, this_round), partial(self._refused, this_round))

    def _bound(self, this_round: int) -> None:
        if self._goes_on(this_round):
            self._locked_since = None
            self._on_bound()
            self._watch(this_round)

    def _refused(self, this_round: int, code: int, text: str) -> None:
        if not self._goes_on(this_round):
            return
        if code == _NOT_FOUND:
            logger.warning("%s is declared again: %s", self._name, text)
            self._connection.call_later(RETRY_SECONDS, lambda: self._open(this_round))
            return
        if code != _LOCKED:
            self._on_failed(f"the broker refuses {self._name}: {text}")
            return
        if self._locked_since is None:
            self._locked_since = time.monotonic()
            logger.warning("the name %s is taken; asking who has it", self._name)
        self._ask(self._name, partial(self._asked, this_round))

    def _asked(self, this_round: int, answer: _Answer) -> None:
        if not self._goes_on(this_round) or self._locked_since is None:
            return
        if answer.owner is not None:
            self._on_failed(_taken(self._name, {self._name: answer.owner}))
            return
        patience = 3 * self._connection.heartbeat + HALF_OPEN_SECONDS
        if time.monotonic() - self._locked_since > patience:
            self._on_failed(f"{self._name} is already served, by a program that has not answered for {patience:g} s")
            return
        self._connection.call_later(RETRY_SECONDS, lambda: self._open(this_round))

    def _on_lost(self, text: str) -> None:
        if not self._stopped:
            logger.warning("%s is declared again, since its queue is gone: %s", self._name, text)
            self._round += 1
            this_round = self._round
            self._connection.call_later(0.1, lambda: self._open(this_round))

    def _watch(self, this_round: int) -> None:
        def check() -> None:
            if self._goes_on(this_round):
                if self._connection.blocked is None:
                    self._ask(self._name, judge, SELF_PING_PATIENCE)
                self._watch(this_round)

        def judge(answer: _Answer) -> None:
            is_sure = answer.was_asked and self._connection.blocked is None and self._connection.is_up
            if answer.owner is None and is_sure and self._goes_on(this_round):
                logger.warning("%s does not reach itself: its bindings are made again", self._name)
                self._requester.bind_again()
                self._consumer.bind_again()

        self._connection.call_later(SELF_PING_SECONDS, check)


def _taken(service: str, owners: dict[str, ReplyMessage]) -> str:
    name = service if service in owners else next(iter(owners))
    reply = owners[name]
    info = reply.sender_info
    who = f"{info.get('username', 'somebody')} on {info.get('hostname', 'some host')} ({info.get('exe', 'unknown')})"
    if name == service:
        return f"{name} is already served by {who}"
    more = f" and {len(owners) - 1} more of its names" if len(owners) > 1 else ""
    whose = f"{reply.service_name} of {who}" if reply.service_name else who
    return f"{name}{more}, which {service} wants to serve, is already served by {whose}"

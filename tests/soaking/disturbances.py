"""The faults of a soak: what each does, whom it disturbs, and how soon all must be well again after its end."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import pika

from dragonfly.core.amqp.alert_gate import HOLD_SECONDS, RETRY_SECONDS
from dragonfly.core.exceptions import DriplineError
from tests.soaking.commands import Commands
from tests.soaking.mesh import CLIENTS, FORGETFUL, HEARTBEAT, LINES, LISTENER, STORE, SoakMesh, service_names
from tests.soaking.stored import Stored

# How soon all is well again, s: by itself, and where a heartbeat has to find out. An Interface has a heartbeat of 10 s.
SOON = 5.0
AFTER_HEARTBEATS = 3 * HEARTBEAT + 5.0
AFTER_CLIENT_HEARTBEATS = 3 * 10 + 5.0
# A service looks every 30 s whether its bindings stand, and waits 5 s for the answer.
AFTER_SELF_PING = 30.0 + 5.0 + SOON
# What was made so long before the exchange went may have been kept until then, by a service that had lost its
# connection: it sends nothing for 5 s after that, and then an alert of each key until the broker has it, s.
HELD = 2 * (HOLD_SECONDS + RETRY_SECONDS)
# A run whose faults are shorter than this, s, has no time for the one that takes the longest.
_LONG = 5.0


def _nothing() -> None:
    """Do nothing."""


@dataclass
class Disturbance:
    """A fault that is about to be.

    Attributes:
        kind: what it is called.
        parties: the services and clients that it disturbs.
        seconds: how long it lasts, s.
        begin: begins it.
        end: ends it.
        bound: how soon all must be well after its end, s.
        what: which one, for a person.
        alone: whether no other fault may be at the same time.
    """

    kind: str
    parties: frozenset[str]
    seconds: float
    begin: Callable[[], object]
    end: Callable[[], object] = _nothing
    bound: float = SOON
    what: str = ""
    alone: bool = False


class Disturbances:
    """Makes faults at random.

    Args:
        mesh: what is disturbed.
        chance: what decides.
        commands, stored: who must know of what a fault excuses.
        longest: how long one lasts at most, s.
        only: part of the names of the faults that are wanted; empty for all.
    """

    def __init__(
        self, mesh: SoakMesh, chance: random.Random, commands: Commands, stored: Stored, longest: float, only: str
    ) -> None:
        self._mesh = mesh
        self._chance = chance
        self._commands = commands
        self._stored = stored
        self._longest = longest
        self._kinds: list[tuple[Callable[[], Disturbance], int]] = [
            (self._cut, 4),
            (self._half_open, 2),
            (self._stall, 3),
            (self._delay, 2),
            (self._throttle, 2),
            (self._kill_service, 4),
            (self._kill_store, 2),
            (self._kill_broker, 3),
            (self._alarm, 2),
            (self._stop_service, 3),
            (self._hang, 3),
            (self._delete_queue, 1),
            (self._delete_exchange, 1),
        ]
        if longest < _LONG:
            self._kinds.pop()
        self._kinds = [(make, weight) for make, weight in self._kinds if only in make().kind] or self._kinds
        self._left: list[Callable[[], Disturbance]] = []

    def next(self) -> Disturbance:
        """Return the next one: all kinds come, each as often as its weight says, in an order by chance."""
        if not self._left:
            self._left = [make for make, weight in self._kinds for _ in range(weight)]
            self._chance.shuffle(self._left)
        return self._left.pop()()

    def _seconds(self, low: float = 0.5) -> float:
        return round(self._chance.uniform(low, max(low, self._longest)), 1)

    def _line(self, *without: str) -> tuple[str, frozenset[str]]:
        name = self._chance.choice([line for line in LINES if line not in without])
        return name, frozenset(LINES[name])

    def _everybody(self) -> frozenset[str]:
        return frozenset([*service_names(), *CLIENTS, STORE, LISTENER])

    def _cut(self) -> Disturbance:
        line, parties = self._line()
        proxy, reset = self._mesh.lines[line], self._chance.random() < 0.5
        return Disturbance("cut", parties, 0.0, lambda: proxy.cut(reset), what=f"{line}, {'RST' if reset else 'FIN'}")

    def _half_open(self) -> Disturbance:
        line, parties = self._line()
        proxy = self._mesh.lines[line]
        bound = AFTER_CLIENT_HEARTBEATS if "client" in line else AFTER_HEARTBEATS
        return Disturbance("half-open", parties, 0.0, proxy.half_open, bound=bound, what=line)

    def _stall(self) -> Disturbance:
        line, parties = self._line()
        proxy, way = self._mesh.lines[line], self._chance.choice(["both", "to_broker", "from_broker"])
        return Disturbance(
            "stall", parties, self._seconds(), lambda: proxy.stall(way), proxy.restore, what=f"{line}, {way}"
        )

    def _delay(self) -> Disturbance:
        line, parties = self._line()
        proxy, seconds = self._mesh.lines[line], round(self._chance.uniform(0.02, 1.0), 2)
        return Disturbance(
            "delay", parties, self._seconds(), lambda: proxy.delay(seconds), proxy.restore, what=f"{line}, {seconds} s"
        )

    def _throttle(self) -> Disturbance:
        line, parties = self._line()
        proxy, rate = self._mesh.lines[line], self._chance.choice([5_000, 20_000, 100_000])
        return Disturbance(
            "throttle",
            parties,
            self._seconds(),
            lambda: proxy.throttle(rate),
            proxy.restore,
            what=f"{line}, {rate} B/s",
        )

    def _kill_service(self) -> Disturbance:
        name = self._chance.choice([name for name in service_names() if name != FORGETFUL])
        return self._kill("kill -9 of a service", name)

    def _kill_store(self) -> Disturbance:
        return self._kill("kill -9 of the alert consumer", STORE)

    def _kill(self, kind: str, name: str) -> Disturbance:
        program = self._mesh.programs[name]
        return Disturbance(
            kind,
            frozenset([name]),
            round(self._chance.uniform(0.0, min(3.0, self._longest)), 1),
            lambda: program.end(signal.SIGKILL),
            program.start,
            what=name,
        )

    def _kill_broker(self) -> Disturbance:
        broker = self._mesh.broker
        return Disturbance("kill -9 of the broker", self._everybody(), self._seconds(), broker.kill, broker.start)

    def _alarm(self) -> Disturbance:
        ctl = self._mesh.broker.ctl
        return Disturbance(
            "memory alarm",
            self._everybody(),
            self._seconds(),
            lambda: ctl("set_vm_memory_high_watermark", "0"),
            lambda: ctl("set_vm_memory_high_watermark", "0.4"),
            alone=True,
        )

    def _stop_service(self) -> Disturbance:
        name = self._chance.choice(service_names())
        program = self._mesh.programs[name]

        def go_on() -> None:
            self._commands.went_on(name, time.time())
            program.signal(signal.SIGCONT)

        return Disturbance(
            "SIGSTOP of a service",
            frozenset([name]),
            self._seconds(1.0),
            lambda: program.signal(signal.SIGSTOP),
            go_on,
            what=name,
        )

    def _hang(self) -> Disturbance:
        service = self._chance.choice(service_names())
        sensor, seconds = f"{service}_3", self._seconds(1.0)

        def begin() -> None:
            with suppress(DriplineError):  # it does not answer in time, which is what is wanted
                self._mesh.client.cmd(sensor, "hang", seconds, timeout=0.2)

        return Disturbance("hung instrument", frozenset([sensor]), seconds, begin, what=sensor)

    def _delete_queue(self) -> Disturbance:
        name = self._chance.choice(service_names())
        return Disturbance(
            "queue deleted",
            frozenset([name]),
            0.0,
            lambda: self._on_channel(lambda channel: channel.queue_delete(name)),
            what=name,
        )

    def _delete_exchange(self) -> Disturbance:
        name = self._chance.choice(["requests", "alerts"])
        began = 0.0

        def anew(channel: pika.adapters.blocking_connection.BlockingChannel) -> None:
            channel.exchange_delete(name)
            channel.exchange_declare(name, "topic")

        def begin() -> None:
            nonlocal began
            began = time.monotonic()
            if name == "alerts":
                self._stored.windows.append((began - HELD, began + AFTER_SELF_PING))
            self._on_channel(anew)

        def end() -> None:
            if name == "alerts":
                self._stored.windows[-1] = (began - HELD, time.monotonic())

        parties = self._everybody() if name == "requests" else frozenset[str]()
        seconds = 0.0 if name == "requests" else AFTER_SELF_PING
        return Disturbance("exchange deleted", parties, seconds, begin, end, AFTER_SELF_PING, name, alone=True)

    def _on_channel(self, step: Callable[[pika.adapters.blocking_connection.BlockingChannel], object]) -> None:
        parameters = pika.URLParameters(self._mesh.broker.url)
        with suppress(pika.exceptions.AMQPError), pika.BlockingConnection(parameters) as connection:
            step(connection.channel())


def merged(several: Iterable[Disturbance]) -> frozenset[str]:
    """Return all parties of several faults."""
    return frozenset(party for one in several for party in one.parties)

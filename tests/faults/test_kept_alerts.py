"""Alerts made while the broker is away are kept, in bounds, and what did not fit is counted and said."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineError
from dragonfly.core.service import Service
from dragonfly.testing import FaultProxy, Mesh, RabbitMQNode
from tests.faults.chronicle import Chronicle, Entry, chronicle, forget_queue
from tests.mesh.program import Program, serve
from tests.waiting import wait_until

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

TOPIC = "Alerts of an outage"
METER = Path(__file__).with_name("meter.py")
GIVEN_UP = "{} alerts were given up: they waited too long for the broker, or too many did"
DEFAULT_BUFFER, MADE = 10_000, 12_500
METERS, INTERVAL, BUFFER = 100, 0.1, 2_000


@pytest.fixture
def proxy(node: RabbitMQNode) -> Iterator[FaultProxy]:
    with FaultProxy(node.address) as proxy:
        yield proxy


@pytest.fixture
def far(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """Give a mesh behind the proxy; what an outage cost is said 2 s after it, not 30."""
    monkeypatch.setattr("dragonfly.core.amqp.alert_gate.WINDOW_SECONDS", 2.0)
    with Mesh(proxy.address) as far:
        yield far


@pytest.fixture
def book(node: RabbitMQNode, mesh: Mesh) -> Iterator[Chronicle]:
    yield chronicle(mesh, node)
    mesh.close()
    forget_queue(node.address)


def criticals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.CRITICAL]


def statistics_of(mesh: Mesh, service: str) -> dict[str, Any]:
    reply = mesh.client.get(f"{service}.statistics", timeout=2.0)
    return dict(reply.payload)


def went_off(proxy: FaultProxy, service: Service) -> None:
    """Have a service lose its broker for good."""
    wire = service._life.wire
    assert wire is not None
    proxy.refuse()
    assert wait_until(lambda: not wire.connection.is_up)


def say(service: Service, numbers: range) -> None:
    for number in numbers:
        service.send_alert(f"sensor_value.s{number % 100}", number)


def numbers_of(book: Chronicle) -> list[int]:
    """Return the numbers that came, sorted, after a check that those of each key came in their order."""
    told = book.told()
    for entries in told.values():
        numbers = [entry.payload for entry in entries]
        assert numbers == sorted(numbers)
    return sorted(entry.payload for entries in told.values() for entry in entries)


def test_of_more_alerts_than_are_kept_the_youngest_come_and_the_others_are_counted_and_said_once(
    proxy: FaultProxy, far: Mesh, mesh: Mesh, book: Chronicle, caplog: pytest.LogCaptureFixture, measured: Measured
) -> None:
    talker = far.serve("name: talker\n")
    went_off(proxy, talker)
    say(talker, range(MADE))
    wire = talker._life.wire
    assert wire is not None
    assert wait_until(lambda: wire.publisher.unfinished == wire.publisher.tally.kept == DEFAULT_BUFFER, 30.0)
    began = time.monotonic()
    proxy.restore()
    assert wait_until(lambda: len(book) >= DEFAULT_BUFFER, 30.0)
    seconds = time.monotonic() - began
    say(talker, range(MADE, MADE + 100))
    assert wait_until(lambda: len(book) >= DEFAULT_BUFFER + 100, 10.0)
    assert numbers_of(book) == list(range(MADE - DEFAULT_BUFFER, MADE + 100))
    assert wait_until(lambda: bool(criticals(caplog)), 10.0)
    assert criticals(caplog) == [GIVEN_UP.format(MADE - DEFAULT_BUFFER)]
    told = statistics_of(mesh, "talker")
    assert told["alerts_dropped"] == MADE - DEFAULT_BUFFER
    assert (told["alerts_sent"], told["alerts_kept"]) == (DEFAULT_BUFFER + 100, 0)
    measured(
        TOPIC,
        f"{MADE} alerts made without a broker, alert_buffer {DEFAULT_BUFFER}",
        f"the youngest {DEFAULT_BUFFER} were stored {seconds:.1f} s after it was back, in order, "
        f"{MADE - DEFAULT_BUFFER} counted in alerts_dropped and said once",
    )


def test_what_waited_longer_than_it_may_does_not_come_and_is_counted_and_said_once(
    proxy: FaultProxy, far: Mesh, mesh: Mesh, book: Chronicle, caplog: pytest.LogCaptureFixture, measured: Measured
) -> None:
    talker = far.serve("name: talker\nalert_buffer_age: 1\n")
    went_off(proxy, talker)
    say(talker, range(300))
    over = time.monotonic() + 1.1
    assert wait_until(lambda: time.monotonic() > over)
    say(talker, range(300, 500))
    proxy.restore()
    assert wait_until(lambda: len(book) >= 200, 10.0)
    assert wait_until(lambda: bool(criticals(caplog)), 10.0)
    assert numbers_of(book) == list(range(300, 500))
    assert criticals(caplog) == [GIVEN_UP.format(300)]
    assert statistics_of(mesh, "talker")["alerts_dropped"] == 300
    measured(TOPIC, "alert_buffer_age 1 s: 300 alerts older than that, 200 younger", "the 200 came, 300 counted")


def test_a_second_outage_says_its_own_losses_alone(
    proxy: FaultProxy, far: Mesh, book: Chronicle, caplog: pytest.LogCaptureFixture
) -> None:
    talker = far.serve("name: talker\nalert_buffer: 100\n")
    for outage, made in enumerate((150, 120)):
        went_off(proxy, talker)
        say(talker, range(made))
        proxy.restore()
        assert wait_until(lambda: len(book) == 100 * (outage + 1), 10.0)  # noqa: B023 - it is called at once
        assert wait_until(lambda: len(criticals(caplog)) == outage + 1, 10.0)  # noqa: B023
    assert criticals(caplog) == [GIVEN_UP.format(50), GIVEN_UP.format(20)]


def test_of_what_a_slow_line_does_not_carry_the_youngest_wait_and_the_others_are_counted_and_said_once(
    proxy: FaultProxy, far: Mesh, book: Chronicle, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragonfly.core.amqp.outgoing_channel.MOST_IN_FLIGHT", 200)
    talker = far.serve("name: talker\nalert_buffer: 1000\n")
    wire = talker._life.wire
    assert wire is not None
    tally = wire.publisher.tally
    proxy.throttle(50_000.0)  # that is about a hundred alerts a second
    say(talker, range(5_000))
    assert wait_until(lambda: not wire.publisher._outbox)
    assert tally.sent + tally.dropped + wire.publisher.unfinished == 5_000
    assert wire.publisher.unfinished <= 1_200
    assert wire.connection.is_up
    proxy.restore()
    assert wait_until(lambda: wire.publisher.unfinished == 0, 30.0)
    assert tally.dropped > 3_000
    assert wait_until(lambda: len(book) == 5_000 - tally.dropped)
    assert numbers_of(book)[-1_000:] == list(range(4_000, 5_000))
    assert criticals(caplog) == [GIVEN_UP.format(tally.dropped)]


def logger(directory: Path) -> str:
    """Write the file of a service with meters that log themselves; return its path."""
    meters = [
        {
            "name": f"m{number:02}",
            "module": "Meter",
            "module_path": str(METER),
            "log_interval": INTERVAL,
            "logging_status": True,
        }
        for number in range(METERS)
    ]
    config = directory / "logger.yaml"
    config.write_text(json.dumps({"name": "logger", "alert_buffer": BUFFER, "endpoints": meters}))
    return str(config)


def is_back(mesh: Mesh) -> bool:
    try:
        return mesh.client.cmd("logger", "ping", timeout=1.0).retcode == 0
    except DriplineError:
        return False


def readings(mesh: Mesh) -> int:
    """Return how many values the meters made, which log no more."""
    assert mesh.client.set("logger.logging_status", False).retcode == 0
    replies = mesh.client.request_many(f"m{number:02}.made" for number in range(METERS))
    return sum(reply.payload["values"][0] for reply in replies)


def check_entries(told: dict[str, list[Entry]]) -> None:
    """Check that each meter's values came in order, each with the time when it was made."""
    assert len(told) == METERS
    for entries in told.values():
        values = [entry.payload["value_raw"].split() for entry in entries]
        numbers = [int(number) for number, _ in values]
        assert numbers == sorted(set(numbers))
        for (_, made), entry in zip(values, entries, strict=True):
            stamped = datetime.fromisoformat(entry.timestamp.replace("Z", "+00:00")).timestamp()
            assert -1.5 < stamped - float(made) < 1.5


def settled(mesh: Mesh, made: int) -> dict[str, Any]:
    """Return the logger's statistics when nothing of what it made is on its way any more."""
    assert wait_until(lambda: balance(mesh) == made, 20.0), f"{balance(mesh)} of {made}"
    return statistics_of(mesh, "logger")


def balance(mesh: Mesh) -> int:
    told = statistics_of(mesh, "logger")
    return int(told["alerts_sent"] + told["alerts_dropped"])


def said(program: Program) -> list[int]:
    """Return the numbers of alerts that a program said were given up."""
    return [int(number) for number in re.findall(r"(\d+) alerts were given up", program.stderr)]


def test_a_hundred_meters_lose_nothing_uncounted_when_the_broker_is_killed(
    own_broker: RabbitMQNode, tmp_path: Path, measured: Measured
) -> None:
    with Mesh(own_broker.address) as mesh:
        book = chronicle(mesh, own_broker)
        with serve(own_broker.address, logger(tmp_path)) as program:
            assert wait_until(lambda: len(book) > 5 * METERS, 10.0)
            own_broker.kill()
            began = time.monotonic()
            # More than the buffer holds: some have to go.
            needed = began + 1.5 * BUFFER * INTERVAL / METERS
            assert wait_until(lambda: time.monotonic() > needed, 10.0)
            own_broker.start()
            away = time.monotonic() - began
            assert wait_until(lambda: is_back(mesh), 20.0)
            at_return = len(book)
            assert wait_until(lambda: len(book) > at_return + BUFFER + 3 * METERS, 20.0)
            made = readings(mesh)
            told = settled(mesh, made)
            assert wait_until(lambda: len(book) + told["alerts_dropped"] >= made, 10.0)
            assert program.end().status == 0
        # What the broker stored and did not live to confirm is kept as well, and may be among those that had to go.
        assert made <= len(book) + told["alerts_dropped"] <= made + METERS
        assert told["alerts_dropped"] > 0 and said(program) == [told["alerts_dropped"]]
        check_entries(book.told())
        measured(
            TOPIC,
            f"{METERS} meters log {METERS / INTERVAL:.0f} values a second, broker killed (-9) for {away:.0f} s, "
            f"alert_buffer {BUFFER}",
            f"{made} made = {len(book)} stored in a durable queue + {told['alerts_dropped']} in alerts_dropped; "
            f"{book.again} came twice",
        )


def test_a_hundred_meters_lose_nothing_when_their_connection_is_cut_again_and_again(
    node: RabbitMQNode, mesh: Mesh, proxy: FaultProxy, book: Chronicle, tmp_path: Path, measured: Measured
) -> None:
    cuts = 5
    with serve(proxy.address, logger(tmp_path)) as program:
        for cut in range(cuts):
            expected = len(book) + 3 * METERS
            assert wait_until(lambda: len(book) > expected, 10.0)  # noqa: B023 - it is called at once
            proxy.cut(reset=bool(cut % 2))
        assert wait_until(lambda: is_back(mesh), 20.0)
        made = readings(mesh)
        told = settled(mesh, made)
        assert wait_until(lambda: len(book) >= made, 10.0)
        assert program.end().status == 0
    assert (told["alerts_dropped"], said(program)) == (0, [])
    assert len(book) == made
    check_entries(book.told())
    measured(
        TOPIC,
        f"{METERS} meters, their connection cut {cuts} times",
        f"{made} made = {len(book)} stored, none dropped; {book.again} came twice",
    )

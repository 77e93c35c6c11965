"""A fault comes and goes once while all six subjects live; what each of them did is written down."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.faults import Fault
from tests.faults.subjects import VALUE, Flight, Heard, Row, Subjects, asked, first_time, is_served
from tests.mesh.program import Ended, Program, dragonfly
from tests.waiting import wait_until

# How long anything may take to come back before it is said not to, s.
PATIENCE = 30.0
# How long a client that asks during the fault waits, s.
SHORT = 2.0


@dataclass
class Record:
    """What was seen. Times of day are s since 1970, all others monotonic, s."""

    # When the fault began to come, was there, and was over.
    began: float = 0.0
    came: float = 0.0
    ended: float = 0.0
    # How long after the fault's end each was back, s; None where it was not.
    back: dict[str, float | None] = field(default_factory=dict)
    # The requests that were on their way when the fault came, and how long they would have waited, s.
    flight_timeout: float = 0.0
    flying_get: Ended | None = None
    flying_get_ended: float = 0.0
    flying_request: Flight | None = None
    # Those that were made while it lasted.
    asked_get: Ended | None = None
    asked_request: Flight | None = None
    asked_at: float = 0.0
    # The first one after it.
    next_get: Ended | None = None
    next_request: Flight | None = None
    # What they are to get.
    value: str = VALUE
    store: Ended | None = None
    monitor: Ended | None = None
    # Whether serve and monitor ran until they were ended.
    ran: dict[str, bool] = field(default_factory=dict)
    # What became of those that were started while the fault lasted.
    at_start: dict[str, Ended | Exception | None] = field(default_factory=dict)
    # The sensors: when each value was read; what the monitor showed, and what the archive got, in order.
    ticks: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def record_of(fault: Fault) -> Record:
    """Have a fault come and go, and return what was seen."""
    record = Record(flight_timeout=fault.flight_timeout)
    with tempfile.TemporaryDirectory(prefix="dragonfly-faults-") as directory, fault, Heard() as heard:
        with Subjects(fault.address, Path(directory), fault.program) as subjects:
            subjects.start()
            _live_through(fault, subjects, record)
        record.said = heard.texts
        fault.clean_up()
    return record


def _live_through(fault: Fault, subjects: Subjects, record: Record) -> None:
    flying, asking = subjects.ask_the_gates(fault.flight_timeout)
    with ThreadPoolExecutor(6) as pool, flying:  # a failure ends the get first, for which the pool waits
        ended = pool.submit(_end_of, flying)
        record.began = time.monotonic()
        fault.begin()
        record.came = time.monotonic()
        if fault.lasts:
            _ask_meanwhile(fault, subjects, record)
        record.ended = fault.end()
        _wait_until_back(fault, subjects, record, pool)
        record.flying_get, record.flying_get_ended = ended.result(PATIENCE)
        record.flying_request = asking.result(PATIENCE)
    record.next_get = dragonfly(subjects.address, "get", "peaches", "-b", subjects.address)
    record.next_request = asked(subjects.interface, "peaches", 10.0)
    subjects.quiet_sensors()
    subjects.open_gates()
    record.ticks, record.watched = subjects.ticks("archived"), subjects.ticks("watched")
    wait_until(lambda: {row.number for row in subjects.archive._rows} >= set(range(len(record.ticks))), fault.rest)
    wait_until(lambda: subjects.last_shown == len(record.watched) - 1, fault.rest)
    record.rows, record.shown = list(subjects.archive._rows), subjects.shown
    assert subjects.store is not None and subjects.monitor is not None
    record.ran = {"serve": subjects.store.process.poll() is None, "monitor": subjects.monitor.process.poll() is None}
    record.store, record.monitor = subjects.end()


def _end_of(program: Program) -> tuple[Ended, float]:
    return program.wait(2 * PATIENCE), time.monotonic()


def _ask_meanwhile(fault: Fault, subjects: Subjects, record: Record) -> None:
    record.asked_at = time.monotonic()
    record.asked_request = asked(subjects.interface, "peaches", SHORT)
    words = ["get", "peaches", "-b", subjects.address, "--timeout", str(SHORT)]
    record.asked_get = dragonfly(subjects.address, *words)
    record.at_start = fault.go_on(subjects)


def _wait_until_back(fault: Fault, subjects: Subjects, record: Record, pool: ThreadPoolExecutor) -> None:
    archived, watched = len(subjects.ticks("archived")), len(subjects.ticks("watched"))
    sent = subjects.alerts_sent
    checks: dict[str, Callable[[], bool]] = {
        "serve": lambda: is_served(fault.open_address, VALUE),
        # The broker's own word that nobody is bound needs no service.
        "interface": lambda: asked(subjects.interface, "nobody", 1.0).retcode == 102,
        "monitor": lambda: subjects.last_shown > watched,
        "consumer": lambda: subjects.last_archived > archived,
        "spime": lambda: subjects.alerts_sent > sent,
    }
    waits = {name: pool.submit(first_time, check, record.ended, fault.patience) for name, check in checks.items()}
    record.back = {name: waiting.result() for name, waiting in waits.items()}

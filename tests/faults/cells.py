"""Each cell of the table as a test: a look at the record of its fault, whose scenario the first of them runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.testing import RabbitMQNode
from tests.faults import faults
from tests.faults.faults import Fault
from tests.faults.matrix import CELLS, FAULTS, SUBJECTS
from tests.faults.promises import NOTHING, PROMISES
from tests.faults.scenario import Record, record_of
from tests.faults.starting import record_of_slow_broker, record_of_taken_names

KINDS: dict[str, type[Fault]] = {
    "restart": faults.Restart,
    "kill": faults.Kill,
    "cut": faults.Cut,
    "half-open": faults.HalfOpen,
    "exchange": faults.ExchangeMadeAgain,
    "queue": faults.QueuesDeleted,
    "channel": faults.ChannelsClosed,
    "refused": faults.Refused,
    "alarm": faults.Alarm,
    "stall": faults.Stall,
}
STARTS: dict[str, Callable[[RabbitMQNode], Record]] = {"slow": record_of_slow_broker, "name": record_of_taken_names}


def cells(*names: str) -> Any:
    """Return the mark that makes a test of each cell of these faults in which something can happen."""
    found = [
        pytest.param(subject, fault, id=f"{subject}-{fault}")
        for fault in names
        for subject in SUBJECTS
        if CELLS[fault][subject] != (NOTHING,)
    ]
    return pytest.mark.parametrize(("subject", "fault"), found)


class Records:
    """What was seen at each fault, each scenario run once.

    Args:
        run: has a fault come and go.
    """

    def __init__(self, run: Callable[[str], Record]) -> None:
        self._run = run
        self._seen: dict[str, Record] = {}
        self._failed: dict[str, Exception] = {}

    def __getitem__(self, fault: str) -> Record:
        if fault in self._failed:  # once is enough to know
            pytest.fail(f"the scenario failed: {self._failed[fault]!r}", pytrace=False)
        if fault not in self._seen:
            try:
                self._seen[fault] = self._run(fault)
            except Exception as err:
                self._failed[fault] = err
                raise
        return self._seen[fault]


def records_on(node: object) -> Records:
    """Return the records of faults of one node."""
    if not isinstance(node, RabbitMQNode):
        pytest.skip("the broker is somebody else's: it is not harmed")
    known: RabbitMQNode = node

    def run(fault: str) -> Record:
        return STARTS[fault](known) if fault in STARTS else record_of(KINDS[fault](known))

    return Records(run)


def check(subject: str, fault: str, records: Records, measured: Callable[[str, str, str], None]) -> None:
    """Look whether what is promised in a cell is so, and write down how long it took."""
    record = records[fault]
    for word in CELLS[fault][subject]:
        PROMISES[word](subject, record)
    seconds = record.back.get(subject)
    if seconds is not None and subject != "interface":
        measured("Faults", f"{SUBJECTS[subject]} is back: {FAULTS[fault]}", f"{seconds:.2f} s")

"""Each alert is stored once, and in order: the table of the consumer against the accounts of the producers.

1. The sequences of an endpoint come without a step back: a second copy with another message_id would be such, and so
   would two that changed places.
2. What is missing was counted by its producer as dropped, or was made while the exchange was deleted.
3. What a producer says was sent is stored: looked at as soon as later alerts of each of its endpoints are stored.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soaking.violations import Violations


@dataclass
class Boot:
    """One start of a producer: what is stored of it, and its latest account."""

    service: str
    last: dict[str, int] = field(default_factory=dict)
    last_at: dict[str, float] = field(default_factory=dict)
    stored: int = 0
    missing: int = 0
    excused: int = 0
    gaps: list[str] = field(default_factory=list)
    # When the last gap was seen (monotonic, s): what the producer counted before may not say all.
    gap_seen: float = 0.0
    account: dict[str, Any] = field(default_factory=dict)
    # Accounts that have still to be looked at.
    waiting: list[dict[str, Any]] = field(default_factory=list)
    told: bool = False


class Stored:
    """Reads the table of the consumer.

    Args:
        path: the consumer's file.
        violations: takes what must not be.
    """

    def __init__(self, path: Path, violations: Violations) -> None:
        self._path = path
        self._violations = violations
        self._number = 0
        self.boots: dict[str, Boot] = {}
        # The times in which the exchange of alerts was gone, or not bound again yet (monotonic, s).
        self.windows: list[tuple[float, float]] = []
        self.count = 0

    def look(self) -> None:
        """Read what was stored since the last look."""
        if not self._path.exists():
            return
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10.0)) as database:
            query = (
                "SELECT number, producer, boot, sequence, at FROM alerts WHERE number > ? ORDER BY number LIMIT 50000"
            )
            rows = database.execute(query, (self._number,)).fetchall()
        for number, producer, boot, sequence, at in rows:
            self._number = number
            self._take(producer, self._boot(boot, producer.partition("_")[0]), sequence, at)

    def told(self, service: str, account: dict[str, Any]) -> None:
        """Take the account of a producer."""
        boot = self._boot(account["boot"], service)
        boot.account = account
        boot.waiting.append(account)

    def check(self) -> None:
        """Look at the accounts whose alerts must be stored by now, and at the gaps."""
        for boot in self.boots.values():
            passed = min((boot.last_at.get(name, 0.0) for name in boot.account.get("made", {})), default=0.0)
            while boot.waiting and boot.waiting[0]["at"] < passed:
                self._check_sent(boot, boot.waiting.pop(0))
            if boot.missing and boot.account.get("at", 0.0) > boot.gap_seen:
                self._check_missing(boot)

    def check_last(self) -> None:
        """Look at all once more, when nothing comes any more."""
        for boot in self.boots.values():
            if boot.account:
                self._check_sent(boot, boot.account)
            self._check_missing(boot)

    def _boot(self, boot: str, service: str) -> Boot:
        return self.boots.setdefault(boot, Boot(service))

    def _take(self, producer: str, boot: Boot, sequence: int, at: float) -> None:
        self.count += 1
        boot.stored += 1
        last = boot.last.get(producer, 0)
        if sequence <= last:
            self._violations.add("order", f"{producer}: alert {sequence} was stored behind {last}")
            return
        if sequence > last + 1:
            missing = sequence - last - 1
            since = boot.last_at.get(producer, at)
            if any(begin <= since and at <= end for begin, end in self.windows):
                boot.excused += missing
            else:
                boot.missing += missing
                boot.gap_seen = time.monotonic()
                boot.gaps.append(f"{producer} {last + 1} to {sequence - 1}")
        boot.last[producer] = sequence
        boot.last_at[producer] = at

    def _check_sent(self, boot: Boot, account: dict[str, Any]) -> None:
        missing = account["sent"] - boot.stored - boot.excused
        if missing > 0 and not boot.told:
            boot.told = True
            self._violations.add(
                "stored once",
                f"{boot.service} ({account['boot']}) says that {account['sent']} alerts were sent, {boot.stored} are"
                f" stored ({boot.excused} were made without an exchange): {missing} are missing",
            )

    def _check_missing(self, boot: Boot) -> None:
        dropped = boot.account.get("dropped", 0)
        if boot.missing > dropped and not boot.told:
            boot.told = True
            gaps = ", ".join(boot.gaps[:5])
            self._violations.add(
                "stored once",
                f"{boot.missing} alerts of {boot.service} are missing ({gaps}), and it counts {dropped} as dropped",
            )

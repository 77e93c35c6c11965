"""What the services of a soak are made of, loaded by module_path: endpoints that tell on themselves, and two consumers.

Each alert carries the endpoint that made it, the start of its process (`boot`), its number there, and when it was made.
Each command that runs is written to a file, which outlives a process that is killed.
"""

import os
import sqlite3
import threading
import time
from collections import OrderedDict
from typing import Any
from uuid import uuid4

from dragonfly.core import AlertConsumer, Spime
from dragonfly.core.exceptions import DriplineBusyError, ServiceStartError

# Of this start of the process.
BOOT = uuid4().hex[:12]
# How many alerts each endpoint of this process has made.
MADE: dict[str, int] = {}
# How many of the latest alerts are kept at least. A second copy comes soon after the first, or hardly ever; of one that
# comes later, the check of the order tells.
KEPT = 200_000
# How many of the latest a listener remembers.
RECENT = 20_000
TABLE = """
CREATE TABLE IF NOT EXISTS alerts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT UNIQUE, producer TEXT, boot TEXT, sequence INTEGER, at REAL
)"""


class SoakSensor(Spime):
    """A value that logs itself, and writes down each command that it runs.

    Further Keyword Args:
        ledger (str): the file of the commands that ran
        burst (int): how many alerts are made at each log event, a count; 1 by default
    """

    def __init__(self, ledger: str, burst: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._burst = burst
        self._path = ledger
        self._ledger = -1
        MADE[self.name] = 0

    def start(self) -> None:
        self._ledger = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def stop(self) -> None:
        os.close(self._ledger)

    def on_get(self) -> dict[str, Any]:
        return {"target": self.name, "number": None}

    def on_set(self, order: Any) -> dict[str, Any]:
        return self._ran(order)

    def do(self, order: Any) -> dict[str, Any]:
        """Do what an order says: its number, and until when it may begin (UTC, s)."""
        return self._ran(order)

    def hang(self, seconds: float) -> None:
        """Answer nothing for so long, s, as an instrument that does not."""
        threading.Event().wait(seconds)

    def account(self) -> dict[str, Any]:
        """Return how many alerts this process has made, and what became of them as its service counts them."""
        service: Any = self.service
        counted = service.statistics
        found = {name: counted[f"alerts_{name}"] for name in ("sent", "kept", "dropped")}
        # The numbers are read last: an alert that is sent was made before.
        return {"boot": BOOT, **found, "at": time.monotonic(), "made": dict(MADE)}

    def scheduled_action(self) -> None:
        for _ in range(self._burst):
            super().scheduled_action()

    def value_to_log(self) -> dict[str, Any]:
        MADE[self.name] += 1
        return {"producer": self.name, "boot": BOOT, "sequence": MADE[self.name], "at": time.monotonic()}

    def _ran(self, order: dict[str, Any]) -> dict[str, Any]:
        line = f"{order['number']} {time.time():.3f} {order['deadline']:.3f} {self.name}\n"
        os.write(self._ledger, line.encode())
        return {"target": self.name, "number": order["number"]}


class SoakStore(AlertConsumer):
    """Stores each alert once.

    Further Keyword Args:
        file (str): the file of the table
    """

    def __init__(self, file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._file = file
        self._database: Any = None
        self._count = 0

    def start(self) -> None:
        try:
            self._database = sqlite3.connect(self._file, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            # What a process has written outlives it: only a power cut would take it.
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute(TABLE)
        except sqlite3.Error as err:
            raise ServiceStartError(f"{self.name}: {err}") from err
        super().start()

    def stop(self) -> None:
        super().stop()
        if self._database is not None:
            self._database.close()

    def this_consume(self, message: Any, method: Any) -> None:
        alert = message.payload
        row = (method.message_id, alert["producer"], alert["boot"], alert["sequence"], alert["at"])
        columns = "message_id, producer, boot, sequence, at"
        try:
            with self._database:
                self._database.execute(f"INSERT OR IGNORE INTO alerts ({columns}) VALUES (?, ?, ?, ?, ?)", row)
                self._count += 1
                if self._count % 5_000 == 0:
                    self._database.execute(
                        "DELETE FROM alerts WHERE number < (SELECT MAX(number) FROM alerts) - ?", (KEPT,)
                    )
        except sqlite3.OperationalError as err:
            raise DriplineBusyError(f"{self._file}: {err}") from err


class SoakListener(AlertConsumer):
    """Listens without a durable queue: what it hears may have gaps, and must have an order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._heard = 0
        self._last: dict[tuple[str, str], int] = {}
        self._disorder: list[str] = []
        # The latest alerts: one that was sent again, since its confirm was lost, may come twice.
        self._recent: OrderedDict[str, None] = OrderedDict()

    @property
    def heard(self) -> int:
        """How many alerts it has heard."""
        return self._heard

    @property
    def disorder(self) -> list[str]:
        """What came in a wrong order, the first ten."""
        return self._disorder

    def this_consume(self, message: Any, method: Any) -> None:
        alert = message.payload
        self._heard += 1
        if method.message_id in self._recent:
            return
        self._recent[method.message_id] = None
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        source, sequence = (alert["producer"], alert["boot"]), alert["sequence"]
        last = self._last.get(source, 0)
        if sequence <= last and len(self._disorder) < 10:
            self._disorder.append(f"{alert['producer']}: alert {sequence} came behind {last}")
        self._last[source] = max(last, sequence)

"""An alert consumer that remembers what it got, for tests."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from dragonfly.core.alert_consumer import AlertConsumer, AlertMethod
from dragonfly.core.exceptions import DriplineBusyError
from dragonfly.core.message import AlertMessage
from dragonfly.core.service import Service
from dragonfly.testing import Mesh
from tests.waiting import wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "alert_consumer.yaml"
CLASS = EXAMPLE.with_suffix(".py")
TALKER = "name: talker\n"


class Recorder(AlertConsumer):
    """Keeps what it got, in order; while `gate` is closed it does not come back from an alert."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._got: list[Any] = []
        self._methods: list[AlertMethod] = []
        self._gate = threading.Event()
        self._gate.set()
        self._entered = threading.Event()
        # While it is set, it can take nothing.
        self._is_full = threading.Event()

    def this_consume(self, message: AlertMessage, method: AlertMethod) -> None:
        self._entered.set()
        self._gate.wait(10)
        if self._is_full.is_set():
            raise DriplineBusyError("no room")
        if message.payload == "raise":
            raise ZeroDivisionError("a test")
        self._got.append(message.payload)
        self._methods.append(method)


def recorder(mesh: Mesh, **keys: Any) -> Recorder:
    """Return a recorder that is on the mesh."""
    made = Recorder(**{"name": "recorder", "broker": mesh.address, "keys": "a.#", **keys})
    mesh.serve(made)
    return made


def say(service: Service, key: str, *payloads: Any) -> None:
    for payload in payloads:
        service.send_alert(key, payload)


def got(consumer: Recorder, *payloads: Any, timeout: float = 5.0) -> bool:
    """Wait until a recorder got this, and nothing else."""
    return wait_until(lambda: len(consumer._got) >= len(payloads), timeout) and consumer._got == list(payloads)


def configured(directory: Path, **changes: Any) -> Path:
    """Write the example's YAML file with other values, and return its path."""
    fields = {"file": directory / "values.db", "module_path": CLASS, **changes}
    kept = [line for line in EXAMPLE.read_text().splitlines() if line.partition(":")[0] not in fields]
    config = directory / "sensor_table.yaml"
    config.write_text("\n".join([*kept, *(f"{key}: {value}" for key, value in fields.items())]) + "\n")
    return config


def rows(directory: Path, columns: str) -> list[Any]:
    with closing(sqlite3.connect(directory / "values.db", timeout=10)) as database:
        return database.execute(f"SELECT {columns} FROM sensor_values ORDER BY rowid").fetchall()


def stopped_while_it_handles(consumer: Recorder) -> None:
    """Stop a recorder that hangs in an alert, and let it go when the stop has begun."""
    stopping = threading.Thread(target=consumer.stop)
    stopping.start()
    assert wait_until(lambda: consumer._alert_queue is not None and consumer._alert_queue._stopped.is_set())
    consumer._gate.set()
    stopping.join(5)
    assert not stopping.is_alive()

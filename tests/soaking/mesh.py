"""The mesh of a soak: a broker, lines to it that break on command, and all programs that use it."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from dragonfly.core.exceptions import DriplineError
from dragonfly.core.interface import Interface
from dragonfly.testing import FaultProxy, RabbitMQNode
from tests.mesh.program import DRAGONFLY
from tests.soaking.programs import Family, SoakProgram

DEVICES = Path(__file__).with_name("devices.py")
SERVICES = 20
# The first services' alerts go into the durable queue, those of the last few to whoever listens just then.
KEPT = 16
SENSORS = 5
# How many alerts a sensor makes at a time.
BURST = 10
# One with little room for alerts while the broker is away: it must drop some, and count them.
FORGETFUL = "s00"
FORGETFUL_BUFFER = 200
HEARTBEAT = 5
# RabbitMQ drops a durable queue that is younger than about a second when it is killed, unless its log was written.
SYNC_LOG = ("eval", "mnesia:sync_log().")
STORE, LISTENER, MONITOR = "store", "listener", "monitor"
CLIENTS = ("client0", "client1")
# Who reaches the broker by which line; all others reach it directly.
LINES = {
    "north": ("s05", "s06", "s07", "s08", "s09"),
    "south": ("s13", "s14", "s15", "s16", "s17"),
    "clients": ("client1",),
    "consumers": (STORE, LISTENER),
}
_START_SECONDS = 60.0


def service_names() -> list[str]:
    """Return the names of the services."""
    return [f"s{number:02}" for number in range(SERVICES)]


def sensor_names(service: str) -> list[str]:
    """Return the names of a service's endpoints."""
    return [f"{service}_{number}" for number in range(SENSORS)]


class SoakMesh:
    """It runs in a `with` block.

    Args:
        requests: how many the clients send a second, together.
        alerts: how many the services make a second, together.
    """

    def __init__(self, requests: float, alerts: float) -> None:
        self._requests = requests
        # Of each sensor, s.
        self.interval = round(SERVICES * SENSORS * BURST / alerts, 4)
        self._ending = ExitStack()
        self.broker = RabbitMQNode()
        self.lines: dict[str, FaultProxy] = {}
        self.programs: dict[str, SoakProgram] = {}

    def __enter__(self) -> SoakMesh:
        with self._ending:
            self._start()
            self._ending = self._ending.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.close()

    @property
    def store_file(self) -> Path:
        """The table of the alert consumer."""
        return self.directory / "alerts.db"

    def services(self) -> list[SoakProgram]:
        """Return the services that make alerts and run commands."""
        return [self.programs[name] for name in service_names()]

    def _start(self) -> None:
        # What is entered last ends first: the client, the programs, the lines, the broker.
        self._ending.callback(self.broker.stop)
        self.broker.start()
        for name in LINES:
            self.lines[name] = self._ending.enter_context(FaultProxy(self.broker.address))
        self.directory = Path(tempfile.mkdtemp(prefix="dragonfly-soak-"))
        self._family = Family(self.directory)
        self._ending.callback(self._family.close)
        self.client = self._ending.enter_context(Interface(self.broker.address, name="soak", confirm_retcodes=False))
        self._start_consumers()
        self._wait_for([STORE, LISTENER])  # so that nothing is said before somebody listens
        for name in service_names():
            self._serve(name, self._service(name))
        self._wait_for(service_names())
        self._start_clients()
        self.broker.ctl(*SYNC_LOG)

    def _start_consumers(self) -> None:
        store = {"module": "SoakStore", "keys": "soak_kept.#", "queue": "soak_alerts", "file": str(self.store_file)}
        self._serve(STORE, store)
        self._serve(LISTENER, {"module": "SoakListener", "keys": "soak_live.#"})
        words = ["monitor", "-e", "alerts", "-k", "soak_live.s19_0", "-b", self.broker.address]
        self._run(MONITOR, [*DRAGONFLY, *words], reads=True)

    def _start_clients(self) -> None:
        targets = [sensor for service in service_names() for sensor in sensor_names(service)]
        for number, name in enumerate(CLIENTS):
            rate = str(self._requests / len(CLIENTS))
            words = [sys.executable, "-m", "tests.soaking.asking", self._address(name), str(number), rate, *targets]
            self._run(name, words, reads=True)

    def _service(self, name: str) -> dict[str, Any]:
        is_kept = name in service_names()[:KEPT]
        key = "soak_kept" if is_kept else "soak_live"
        ledger = str(self.directory / f"{name}.ledger")
        logs = {"log_interval": self.interval, "logging_status": True, "alert_routing_key": key}
        common = {"module": "SoakSensor", "module_path": str(DEVICES), "ledger": ledger, "burst": BURST, **logs}
        buffer = {"alert_buffer": FORGETFUL_BUFFER} if name == FORGETFUL else {}
        return {"endpoints": [{"name": sensor, **common} for sensor in sensor_names(name)], **buffer}

    def _serve(self, name: str, keys: dict[str, Any]) -> None:
        path = self.directory / f"{name}.yaml"
        place = {"module_path": str(DEVICES)} if "module" in keys else {}
        path.write_text(json.dumps({"name": name, "heartbeat": HEARTBEAT, **place, **keys}))
        self._run(name, [*DRAGONFLY, "serve", "-c", str(path), "-b", self._address(name)])

    def _run(self, name: str, words: list[str], reads: bool = False) -> None:
        program = self.programs[name] = SoakProgram(name, words, self.directory, self._family, reads)
        program.start()

    def _address(self, name: str) -> str:
        line = next((line for line, names in LINES.items() if name in names), None)
        return self.broker.address if line is None else self.lines[line].address

    def _wait_for(self, names: list[str]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while names:
            name = names[0]
            if self.answers(name):
                names = names[1:]
            elif time.monotonic() > deadline or self.programs[name].status is not None:
                said = "\n".join(self.programs[name].log_lines(5))
                raise RuntimeError(f"{name} is not on the mesh after {_START_SECONDS:g} s:\n{said}")

    def answers(self, name: str, timeout: float = 1.0) -> bool:
        """Tell whether a service answers, on the lane of its first endpoint where it has one."""
        try:
            if name in (STORE, LISTENER):
                return not self.client.cmd(name, "ping", timeout=timeout).failed
            return not self.client.get(f"{name}_0", timeout=timeout).failed
        except DriplineError:
            return False

    def stop_asking(self) -> None:
        """End the clients."""
        for name in CLIENTS:
            self.programs[name].end(signal.SIGTERM)

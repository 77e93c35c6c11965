"""Who lives through a fault: a service, its clients, a monitor, an alert consumer and a sensor that logs itself."""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dragonfly.core.alert_consumer import AlertConsumer, AlertMethod
from dragonfly.core.exceptions import DriplineError, ServiceStartError
from dragonfly.core.interface import Interface
from dragonfly.core.message import AlertMessage
from dragonfly.core.service import Service
from dragonfly.loader import load
from dragonfly.testing import Mesh
from tests.mesh.program import DRAGONFLY, Ended, Program
from tests.waiting import wait_until

# Of the three services, s. Those of get, monitor and Interface are 10 s, as for everybody.
HEARTBEAT = 2
# How often the sensor is read, s.
INTERVAL = 0.1
# How long a busy machine may take to start a program, s.
START = 30.0
QUEUE = "archive_alerts"
# What is in the file, and what is set before the fault comes.
FIRST_VALUE, VALUE = "1", "5"

HERE = Path(__file__).parent
STORE = """\
name: my_store
heartbeat: {heartbeat}
endpoints:
  - {{name: peaches, module: kv_store_key, initial_value: {value}}}
  - {{name: gate, module: GateEndpoint, module_path: {gates}, directory: {directory}}}
  - {{name: door, module: GateEndpoint, module_path: {gates}, directory: {directory}}}
"""
# Of two sensors the archive gets one, and the monitor the other: what goes to both is lost for an archive that comes
# back to a restarted broker after the monitor (see AlertGate).
SENSOR = f"module: Ticker, module_path: {HERE / 'ticker.py'}, log_interval: {INTERVAL}, logging_status: true"
LAB = f"""\
name: lab
heartbeat: {HEARTBEAT}
endpoints:
  - {{name: archived, {SENSOR}}}
  - {{name: watched, {SENSOR}}}
"""


class Row(NamedTuple):
    """An alert as it was handled."""

    message_id: str | None
    number: int
    timestamp: str
    at: float


class Archive(AlertConsumer):
    """Keeps what it gets from the sensor; `this_consume` is called once for each time that an alert comes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rows: list[Row] = []

    def this_consume(self, message: AlertMessage, method: AlertMethod) -> None:
        row = Row(method.message_id, message.payload["value_raw"], message.timestamp, time.monotonic())
        self._rows.append(row)


class Flight(NamedTuple):
    """What came of a request of an Interface: the reply's return code or the error, and when (monotonic, s)."""

    retcode: int | None
    error: DriplineError | None
    ended: float


class Asking:
    """A request that a thread makes on an Interface."""

    def __init__(self, interface: Interface, target: str, timeout: float) -> None:
        self._interface, self._target, self._timeout = interface, target, timeout
        self.flight: Flight | None = None
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        self.flight = asked(self._interface, self._target, self._timeout)

    def result(self, timeout: float) -> Flight:
        self._thread.join(timeout)
        assert self.flight is not None, f"the get {self._target} has not ended"
        return self.flight


def asked(interface: Interface, target: str, timeout: float) -> Flight:
    """Get a value and return what came of it."""
    retcode, error = None, None
    try:
        retcode = interface.get(target, timeout=timeout).retcode
    except DriplineError as err:
        error = err
    return Flight(retcode, error, time.monotonic())


class Heard(logging.Handler):
    """What the services and clients of this process say, as long as the block lasts."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def __enter__(self) -> Heard:
        logging.getLogger("dragonfly").addHandler(self)
        return self

    def __exit__(self, *args: object) -> None:
        logging.getLogger("dragonfly").removeHandler(self)


class Subjects:
    """All six, on one broker.

    Args:
        address: the broker, or several with commas.
        directory: for their files.
        program: the command line of serve and monitor.
    """

    def __init__(self, address: str, directory: Path, program: list[str] = DRAGONFLY) -> None:
        self.address = address
        self._program = program
        self._directory = directory
        self.mesh = Mesh(address)
        config = directory / "store.yaml"
        gates = HERE.parent / "mesh" / "instruments.py"
        config.write_text(STORE.format(value=FIRST_VALUE, heartbeat=HEARTBEAT, gates=gates, directory=directory))
        self.config = config
        self.store: Program | None = None
        self.monitor: Program | None = None
        self.archive = Archive(
            name="archive", broker=address, keys="sensor_value.archived", queue=QUEUE, heartbeat=HEARTBEAT
        )
        self.lab: Service | None = None
        self.interface = self.mesh.interface(confirm_retcodes=False)

    def __enter__(self) -> Subjects:
        return self

    def __exit__(self, *args: object) -> None:
        self.open_gates()
        self.mesh.close()
        for program in (self.store, self.monitor):
            if program is not None:
                program.__exit__(None, None, None)

    def launch(self) -> None:
        """Start the programs; who waits for them looks at what they print."""
        words = ["serve", "-c", str(self.config), "-b", self.address, "-v"]
        self.store = Program(self.address, *words, program=self._program)
        self.monitor = self.new_monitor()

    def new_monitor(self) -> Program:
        words = ["monitor", "-b", self.address, "-k", "sensor_value.watched", "--json", "--payload-only", "-v"]
        return Program(self.address, *words, program=self._program)

    def start(self) -> None:
        """Start all, and wait until each does its work."""
        self.launch()
        self.mesh.serve(self.archive)
        self.lab = self.mesh.serve(LAB)
        assert self.store is not None and self.monitor is not None
        self.store.wait_for("stderr", "starting event loop for node", START)
        assert self.interface.set("peaches", VALUE).retcode == 0
        assert wait_until(lambda: len(self.archive._rows) > 2 and self.last_shown > 2, START)

    def sensor(self, name: str) -> Any:
        assert self.lab is not None
        return self.lab._life.routes[name][0]

    def ticks(self, name: str) -> list[float]:
        """When each value was read, s since 1970."""
        return list(self.sensor(name).read_at)

    @property
    def shown(self) -> list[int]:
        """The values that the monitor printed."""
        assert self.monitor is not None
        complete = self.monitor.stdout.rpartition("\n")[0]
        return [json.loads(line)["message"]["value_raw"] for line in complete.splitlines()]

    @property
    def last_shown(self) -> int:
        return max(self.shown, default=-1)

    @property
    def last_archived(self) -> int:
        return max((row.number for row in list(self.archive._rows)), default=-1)

    @property
    def alerts_sent(self) -> int:
        """How many alerts of the sensor the broker has confirmed."""
        assert self.lab is not None and self.lab._life.wire is not None
        return self.lab._life.wire.publisher.tally.sent

    def another_lab(self) -> Service:
        """Return a service with such sensors, and the name of the first, that is not started."""
        config = self._directory / "lab.yaml"
        config.write_text(LAB)
        loaded = load(config)
        service = loaded.build_service(broker=self.address)
        loaded.build_endpoints(service)
        return service

    def ask_the_gates(self, timeout: float) -> tuple[Program, Asking]:
        """Begin a get and a request of the Interface that nobody answers for now."""
        words = ["get", "gate", "-b", self.address, "--timeout", str(timeout)]
        flying = Program(self.address, *words)
        asking = Asking(self.interface, "door", timeout)
        entered = [self._directory / f"{name}.entered" for name in ("gate", "door")]
        assert wait_until(lambda: all(path.exists() for path in entered), START), "the two gets have not begun"
        return flying, asking

    def open_gates(self) -> None:
        (self._directory / "open").touch()

    def quiet_sensors(self) -> None:
        """Have the sensors tell nothing any more."""
        for name in ("archived", "watched"):
            self.sensor(name).logging_status = "off"

    def end(self) -> tuple[Ended, Ended]:
        """End the programs as a person does."""
        assert self.store is not None and self.monitor is not None
        return self.store.end(signal.SIGINT), self.monitor.end(signal.SIGINT)


def failure_of(service: Service) -> Exception | None:
    """Start a service, stop it, and return the error that its start raised."""
    try:
        service.start()
    except (DriplineError, ServiceStartError) as err:
        return err
    finally:
        service.stop()
    return None


def first_time(reached: Callable[[], bool], since: float, timeout: float) -> float | None:
    """Return after how long something is so, s; None where it is not in time."""
    return time.monotonic() - since if wait_until(reached, timeout) else None


def is_served(address: str, value: str) -> bool:
    """Tell whether the service answers with this value, on a connection of its own."""
    with Interface(address, "prober", confirm_retcodes=False, timeout=1.0) as prober:
        try:
            return bool(prober.get("peaches").payload.get("value_raw") == value)
        except DriplineError:
            return False

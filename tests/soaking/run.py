"""A soak from its beginning to its end: faults on this thread, checks on another."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from dragonfly.core.exceptions import DriplineError
from tests.soaking.clients import Clients
from tests.soaking.commands import Commands
from tests.soaking.control import Control
from tests.soaking.disturbances import SOON, Disturbance, Disturbances, merged
from tests.soaking.growth import Growth
from tests.soaking.mesh import CLIENTS, KEPT, LISTENER, MONITOR, STORE, SoakMesh, sensor_names, service_names
from tests.soaking.recovery import Recovery
from tests.soaking.stored import Stored
from tests.soaking.violations import Violations
from tests.soaking.weather import Weather
from tests.waiting import wait_until

_LOOK = 0.25
_ACCOUNTS = 1.0
_STATUS = 10.0
# How often the alerts' rate is looked at, s, and how much longer than wanted their interval may become.
_PACE = 5.0
_SLOWEST = 4.0
# How many faults come two at a time, and how long it is calm between them, s.
_TWO = 0.25
_CALM = (1.5, 4.0)
# How long a connection whose peer is gone may be there, s: three heartbeats of a client.
_HALF_OPEN = 30.0
# How long the last alerts may take, s.
_LAST = 90.0


class Soak:
    """One run.

    Args:
        mesh: what is soaked.
        seed: what the faults follow from.
        seconds: how long, s.
        only: part of the names of the faults that are wanted; all by default.
    """

    def __init__(self, mesh: SoakMesh, seed: int, seconds: float, only: str = "") -> None:
        self._mesh = mesh
        self._seconds = seconds
        self._chance = random.Random(seed)
        self._stopping = threading.Event()
        self._looking = threading.Lock()
        self.violations = Violations()
        self.weather = Weather()
        self.control = Control(mesh.broker.url)
        self.commands = Commands(mesh.directory, self.violations)
        self.stored = Stored(mesh.store_file, self.violations)
        self.clients = Clients(self.weather, self.control, self.violations)
        self.recovery = Recovery(mesh, self.clients, self.weather, self.control, self.violations)
        self.growth = Growth(mesh, self.violations, min(60.0, max(6.0, seconds / 5)))
        self.faults: Counter[str] = Counter()
        self.monitored = 0
        self._disturbances = Disturbances(
            mesh, self._chance, self.commands, self.stored, min(12.0, max(1.5, seconds / 20)), only
        )
        self._began = self._load_ended = time.monotonic()
        self._accounts_at = 0.0
        self._pace_at = time.monotonic() + _PACE
        self._slowness = 1.0
        self._status_at = time.monotonic() + _STATUS
        self._counts_before = (0, 0, time.monotonic())

    @property
    def seconds(self) -> float:
        """How long there was load, s."""
        return self._load_ended - self._began

    def run(self) -> None:
        """Disturb and check until the time is over, then look at what is left."""
        for name in CLIENTS:
            self.clients.read(self._mesh.programs[name])
        self.weather.begin([*service_names(), *CLIENTS, STORE, LISTENER])
        monitor = threading.Thread(target=self._read_monitor, name="reader of the monitor", daemon=True)
        monitor.start()
        checks = threading.Thread(target=self._check_all_the_time, name="checks")
        checks.start()
        try:
            self._disturb_until(self._began + self._seconds)
            self._finish()
        finally:
            self._stopping.set()
            checks.join()
            self.control.close()
        self._look_at_the_end()

    def _disturb_until(self, deadline: float) -> None:
        # What starts is not calm yet.
        parties = frozenset([*service_names(), *CLIENTS, STORE, LISTENER])
        self.recovery.wait("start", parties, time.monotonic(), SOON)
        self._pause(_CALM[1])
        while time.monotonic() < deadline:
            first = self._disturbances.next()
            several = [first]
            if not first.alone and self._chance.random() < _TWO:
                second = self._disturbances.next()
                if not second.alone and not second.parties & first.parties:
                    several.append(second)
            self._disturb(several)
            self._pause(self._chance.uniform(*_CALM))
            self.growth.look()

    def _disturb(self, several: list[Disturbance]) -> None:
        kind = " and ".join(one.kind for one in several)
        what = ", ".join(one.what for one in several if one.what)
        seconds = max(one.seconds for one in several)
        print(f"{time.monotonic() - self._began:7.1f} s  {kind} ({what}), {seconds:g} s", flush=True)
        parties = merged(several)
        self.weather.begin(parties)
        for one in several:
            one.begin()
        self._pause(seconds)
        for one in several:
            one.end()
            self.faults[one.kind] += 1
        self.recovery.wait(kind, parties, time.monotonic(), max(one.bound for one in several))
        for line in self._mesh.lines.values():  # what is half open
            line.restore()

    def _pause(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def _check_all_the_time(self) -> None:
        while not self._stopping.wait(_LOOK):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        self.commands.look()
        self.stored.look()
        self.clients.look()
        self._look_at_programs()
        if now - self._accounts_at > _ACCOUNTS:
            self._accounts_at = now
            self._ask_accounts()
        self.stored.check()
        if now > self._pace_at:
            self._pace_at = now + _PACE
            self._pace_alerts(now)
        if now > self._status_at:
            self._status_at += _STATUS
            self._print_status(now)

    def _look_at_programs(self) -> None:
        for program in self._mesh.programs.values():
            if program.status is not None and not program.is_ended:
                said = " / ".join(program.log_lines(2))
                self.violations.add("alive", f"{program.name} ended by itself with {program.status}: {said}")
                if program.name not in (*CLIENTS, MONITOR):
                    program.start()

    def _ask_accounts(self, timeout: float = 1.0) -> dict[str, dict[str, Any]]:
        asked = service_names()
        requests = [("cmd", f"{name}_0.account") for name in asked]
        found = {}
        with suppress(DriplineError):
            for name, reply in zip(asked, self._mesh.client.request_many(requests, timeout=timeout), strict=True):
                if not reply.failed:
                    found[name] = reply.payload
        for name in asked[:KEPT]:
            if name in found:
                self.stored.told(name, found[name])
        return found

    def _pace_alerts(self, now: float) -> None:
        """Have fewer alerts made on a machine whose processors are too busy for more."""
        full = self.control.full_seconds(now - _PACE, now)
        slowness = self._slowness * (1.4 if full > 0.8 * _PACE else 0.85 if full < 0.3 * _PACE else 1.0)
        self._slowness = min(_SLOWEST, max(1.0, slowness))
        interval = round(self._mesh.interval * self._slowness, 3)
        names = [name for name in service_names() if self.weather.is_calm(name)]
        requests = [("set", f"{sensor}.log_interval", interval) for name in names for sensor in sensor_names(name)]
        with suppress(DriplineError):
            list(self._mesh.client.request_many(requests, timeout=1.0))

    def _print_status(self, now: float) -> None:
        asked, stored, since = self._counts_before
        requests, alerts = self.clients.answered, self.stored.count
        self._counts_before = (requests, alerts, now)
        rates = f"{(requests - asked) / (now - since):.0f} requests/s, {(alerts - stored) / (now - since):.0f} alerts/s"
        counts = f"{sum(self.faults.values())} faults, {self.violations.count} violations"
        busy = f"processors {100 * self.control.busy_since_asked():.0f} % busy"
        print(f"{now - self._began:7.1f} s  {rates}, {counts}, {busy}", flush=True)

    def _read_monitor(self) -> None:
        with self._mesh.programs[MONITOR].stdout as lines:
            for _ in lines:
                self.monitored += 1

    def _finish(self) -> None:
        """Compare what the processes use, end the load, and wait for what is on its way."""
        self._pause(_CALM[1])
        self.growth.check()
        self._mesh.stop_asking()
        self._load_ended = time.monotonic()
        self.clients.finish()
        self._stop_logging()
        self._wait_for_alerts()

    def _look_at_the_end(self) -> None:
        self.commands.look()
        self.stored.look()
        self.stored.check_last()
        for text in self._mesh.client.get(f"{LISTENER}.disorder").payload["values"][0]:
            self.violations.add("order", f"{LISTENER}: {text}")
        if not self.monitored:
            self.violations.add("alive", "the monitor has printed nothing")
        self._look_at_the_broker()

    def _look_at_the_broker(self) -> None:
        """What was killed or cut must have left nothing there."""
        expected = len(self._mesh.programs) - len(CLIENTS) + 1  # and our own
        if not wait_until(lambda: self._connections() <= expected, _HALF_OPEN):
            found = self._connections()
            self.violations.add("leftovers", f"the broker has {found} connections, of {expected} programs that run")

    def _connections(self) -> int:
        return len(self._mesh.broker.ctl("--no-table-headers", "list_connections", "pid").splitlines())

    def _stop_logging(self) -> None:
        sensors = [sensor for name in service_names() for sensor in sensor_names(name)]
        requests = [("set", f"{sensor}.logging_status", "off") for sensor in sensors]
        for sensor, reply in zip(sensors, self._mesh.client.request_many(requests), strict=True):
            if reply.failed:
                self.violations.add("calm", f"{sensor} could not be switched off: {reply.retcode} {reply.return_msg}")

    def _wait_for_alerts(self) -> None:
        """Wait until each alert has come to its end: stored, or counted as dropped."""
        deadline = time.monotonic() + _LAST
        before = -1
        while time.monotonic() < deadline:
            accounts = self._ask_accounts(10.0)
            self.stored.look()
            open_ones = [name for name, found in accounts.items() if not _is_settled(found)]
            if len(accounts) == len(service_names()) and not open_ones and self.stored.count == before:
                return
            before = self.stored.count
            self._pause(1.0)
        for name, found in accounts.items():
            if not _is_settled(found):
                self.violations.add("counted", f"{name} has made other alerts than it has sent and dropped: {found}")


def _is_settled(account: dict[str, Any]) -> bool:
    made: int = sum(account["made"].values())
    return bool(account["kept"] == 0) and made == account["sent"] + account["dropped"]

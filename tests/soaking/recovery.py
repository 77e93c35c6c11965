"""How soon all is well again after a fault: asked again and again, and compared with the control."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict

from dragonfly.core.exceptions import DriplineError
from tests.soaking.clients import Clients
from tests.soaking.control import Control
from tests.soaking.mesh import CLIENTS, LISTENER, STORE, SoakMesh
from tests.soaking.violations import Violations
from tests.soaking.weather import Weather

# How long one that is not back in time is waited for, s.
_AT_MOST = 60.0
_PAUSE = 0.1
_ASK_SECONDS = 1.0


class Recovery:
    """Waits for those that were disturbed.

    Args:
        mesh: asks the services.
        clients: knows what the clients were answered.
        weather: is told who is well again.
        control: tells how slow the machine is.
        violations: takes who was back too late.
    """

    def __init__(
        self, mesh: SoakMesh, clients: Clients, weather: Weather, control: Control, violations: Violations
    ) -> None:
        self._mesh = mesh
        self._clients = clients
        self._weather = weather
        self._control = control
        self._violations = violations
        # How long it took, s, by the kind of fault.
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def wait(self, kind: str, parties: frozenset[str], since: float, bound: float) -> None:
        """Wait until all are well.

        Args:
            kind: the fault.
            parties: whom it disturbed.
            since: when it ended (monotonic, s).
            bound: how long they may take, s.
        """
        left = set(parties)
        slowest = 0.0
        while left and time.monotonic() - since < bound + _AT_MOST:
            for party in self._well(sorted(left), since):
                self._weather.end(party)
                left.discard(party)
                slowest = time.monotonic() - since
                self._check_time(kind, party, since, slowest, bound)
            threading.Event().wait(_PAUSE)
        for party in sorted(left):
            self._violations.add("back", f"{party} is not back {bound + _AT_MOST:g} s after: {kind}")
        if parties and not left:
            self.seconds[kind].append(slowest)

    def summary(self) -> list[str]:
        """Return a line a kind of fault."""
        return [
            f"{kind}: {len(took)} times, all was well again after {statistics.median(took):.1f} s (median),"
            f" {max(took):.1f} s at most"
            for kind, took in sorted(self.seconds.items())
        ]

    def _check_time(self, kind: str, party: str, since: float, seconds: float, bound: float) -> None:
        first = self._control.first_after(since)
        if first is None:  # the machine is slower still
            return
        slow = self._control.slowest(since, since + seconds) + self._control.full_seconds(since, since + seconds)
        allowed = bound + (first - since) + slow + _ASK_SECONDS
        if seconds > allowed:
            self._violations.add("back", f"{party} was back after {seconds:.1f} s ({allowed:.1f} s allowed): {kind}")

    def _well(self, parties: list[str], since: float) -> list[str]:
        asked = [party for party in parties if party not in CLIENTS]
        requests = [
            ("cmd", f"{party}.ping") if party in (STORE, LISTENER) else party if "_" in party else f"{party}_0"
            for party in asked
        ]
        found = [party for party in CLIENTS if party in parties and self._clients.newest.get(party, 0.0) >= since]
        try:
            replies = list(self._mesh.client.request_many(requests, timeout=_ASK_SECONDS))
        except DriplineError:
            return found
        return found + [party for party, reply in zip(asked, replies, strict=True) if not reply.failed]

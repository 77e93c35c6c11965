"""Who listens to sensor values, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dragonfly.core.service import Service
from tests.mesh.raw import RawClient

SENSORS = Path(__file__).with_name("sensors.py")
END = "test.end"
# How late an alert may be on a busy machine, s.
LATE = 1.0


class Ear:
    """Hears all alerts of a mesh."""

    def __init__(self, address: str) -> None:
        self._raw = RawClient(address)
        self._queue = self._raw.listen("ear", "alerts", "#")

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *args: object) -> None:
        self._raw.__exit__(None, None, None)

    def next(self) -> tuple[str, Any]:
        """Return routing key and payload of the next alert, which must come."""
        seen = self._raw.next(self._queue)
        assert seen is not None, "no alert came"
        return seen.method.routing_key, json.loads(seen.body)["payload"]

    def heard(self, service: Service) -> list[tuple[str, Any]]:
        """Return all that a service has told so far."""
        service.send_alert(END, None)
        found: list[tuple[str, Any]] = []
        while (alert := self.next())[0] != END:
            found.append(alert)
        return found

    def names(self, service: Service) -> list[str]:
        """Return the names of the sensors of which something was told."""
        return [key.removeprefix("sensor_value.") for key, _ in self.heard(service)]


def sensor(cls: str = "Thermometer", **keys: Any) -> str:
    """Return the YAML of a service with one sensor, `volts`."""
    block = {"name": "volts", "module": cls, "module_path": str(SENSORS), **keys}
    return json.dumps({"name": "lab", "endpoints": [block]})

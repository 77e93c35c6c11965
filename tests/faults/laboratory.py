"""A service that has something of all that must be there after a fault: lanes, values, a lock, logging loops."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from dragonfly.core.interface import Interface
from tests.faults.silent_instrument import CLASSES
from tests.mesh.program import DRAGONFLY, Program
from tests.mesh.raw import RawClient
from tests.waiting import wait_until

LOG_INTERVAL = 0.2
# How many alerts may come before the present ones, and how long one may be awaited, s.
_ALERTS, _PATIENCE = 2_000, 15.0


def laboratory(heartbeat: int = 10) -> dict[str, Any]:
    """Return the configuration: four lanes, two of which log. It keeps few alerts, so that they are no growth."""
    logs = {"module": "kv_store_key", "initial_value": 0, "log_interval": LOG_INTERVAL, "logging_status": True}
    store = {"name": "store", "module": "kv_store", "endpoints": [{"name": "peaches", **logs}]}
    locked = {"name": "figs", "module": "kv_store_key", "initial_value": 1}
    census = {"name": "census", "module": "CensusEndpoint", "module_path": str(CLASSES)}
    endpoints = [store, {"name": "plums", **logs}, locked, census]
    return {"name": "lab", "heartbeat": heartbeat, "alert_buffer": 200, "endpoints": endpoints}


def serve(address: str, config: dict[str, Any], directory: Path) -> Program:
    """Start a service in a process of its own, which writes its log to a file; wait until it is on the mesh.

    Under load it says more than a pipe and whoever reads it should hold.
    """
    name = config["name"]
    path, log = directory / f"{name}.yaml", directory / f"{name}.log"
    path.write_text(json.dumps(config))  # which is YAML, too
    log.touch()
    shell = ["/bin/sh", "-c", 'exec "$@" 2>"$0"', str(log)]
    program = Program(address, "serve", "-c", str(path), "-b", address, "-v", program=[*shell, *DRAGONFLY])
    if not wait_until(lambda: "starting event loop for node" in log.read_text(), 15):
        program.__exit__(None, None, None)
        raise AssertionError(log.read_text())
    return program


class Laboratory:
    """A service of this configuration, and what a client knows of it.

    Args:
        service_address: HOST:PORT where the service finds the broker.
        broker_address: HOST:PORT of the broker itself, for the client.
        directory: where its files are.
        heartbeat: its AMQP heartbeat, s.
    """

    def __init__(self, service_address: str, broker_address: str, directory: Path, heartbeat: int = 10) -> None:
        self._broker = broker_address
        self._program = serve(service_address, laboratory(heartbeat), directory)
        self.process = self._program.process
        self._value = 0
        with Interface(broker_address) as client:
            client.cmd("figs", "lock")

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._program.__exit__(kind, error, traceback)

    def objects(self) -> int:
        """Return how many objects the service holds, which grow in number where something is never let go."""
        with Interface(self._broker) as client:
            return int(client.get("census").payload["values"][0])

    def assert_as_before(self, reconnects: int) -> None:
        """Check that it has its values, lanes and lock, that its logging loops go on, and that it is the same process.

        Args:
            reconnects: how often it must have come back so far.
        """
        with Interface(self._broker, confirm_retcodes=False) as client:
            for name in ("peaches", "plums"):
                assert client.get(name).payload["value_raw"] == str(self._value)
            assert client.set("figs", 2).retcode == 307
            assert client.get("figs").payload["value_raw"] == "1"
            assert client.get("lab.statistics").payload["reconnects"] == reconnects
            made = _alerts(client)
            assert wait_until(lambda: _alerts(client) > made + 4), "nothing is logged any more"
            self._value += 1
            for name in ("peaches", "plums"):
                assert client.set(name, self._value).retcode == 0
        assert self.process.poll() is None

    def assert_heard(self) -> None:
        """Check that who listens now hears the present values; after a reconnect they are held back for a while."""
        with RawClient(self._broker) as raw:
            ear = raw.listen("ear", "alerts", "sensor_value.#")
            missing = {"sensor_value.peaches", "sensor_value.plums"}
            for _ in range(_ALERTS):  # those of the outage come first
                seen = raw.next(ear, timeout=_PATIENCE)
                assert seen is not None, f"nothing is heard for {missing}"
                if json.loads(seen.body)["payload"]["value_raw"] == str(self._value):
                    missing.discard(seen.method.routing_key)
                if not missing:
                    return
            raise AssertionError(f"the present value is not heard for {missing}")


def _alerts(client: Interface) -> int:
    """Return how many alerts it has made."""
    statistics = client.get("lab.statistics").payload
    return int(statistics["alerts_sent"] + statistics["alerts_kept"] + statistics["alerts_dropped"])

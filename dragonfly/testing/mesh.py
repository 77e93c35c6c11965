"""A mesh in one process: services from YAML, and clients, on one broker."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.interface import Interface
from dragonfly.core.service import Service
from dragonfly.loader import load
from dragonfly.testing.clock import ManualClock

# How long a service may take to do what a moved clock gave it to do, s.
REST_SECONDS = 10.0
_POLL_SECONDS = 0.001


class Mesh:
    """Services and clients that end with the test.

    Args:
        address: HOST:PORT of the broker.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._services: list[Service] = []
        self._interfaces: list[Interface] = []
        self._client: Interface | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="dragonfly-mesh-")

    def __enter__(self) -> Mesh:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def client(self) -> Interface:
        """A client that returns every reply, and raises for none."""
        if self._client is None:
            self._client = self.interface(confirm_retcodes=False)
        return self._client

    def interface(self, confirm_retcodes: bool = True, timeout: float = 10.0) -> Interface:
        """Return a new client of this mesh; `timeout` in s."""
        interface = Interface(self.address, "test", confirm_retcodes, timeout)
        self._interfaces.append(interface)
        return interface

    def serve(
        self, config: str | Path | Service, clock: ManualClock | None = None, instead: Iterable[Endpoint] = ()
    ) -> Service:
        """Start a service and return it when requests flow.

        Args:
            config: the text of a YAML file, the path of one, or a service that is built already.
            clock: the service's time, which the test moves; without it, time passes by itself.
            instead: objects that take the places of the file's blocks of their names, such as a scripted instrument in
                place of the real one; the blocks below stay and are attached to it.

        Raises:
            ConfigError: the file has problems.
            ServiceStartError: a name is taken.
            ValueError: the file has no block for one of `instead`.
        """
        service = config if isinstance(config, Service) else self._built(config, instead)
        if clock is not None:
            service.use_timer(clock.share())
            clock.settle_with(_rest_of(service))
        self._services.append(service)
        service.start()
        return service

    def close(self) -> None:
        """Stop all services and clients, whatever one of them says."""
        with ExitStack() as ending:
            ending.callback(self._directory.cleanup)
            for interface in self._interfaces:
                ending.callback(interface.close)
            for service in self._services:
                ending.callback(service.stop)

    def _built(self, config: str | Path, instead: Iterable[Endpoint]) -> Service:
        path = config
        if isinstance(config, str):
            path = Path(self._directory.name, f"service{len(self._services)}.yaml")
            path.write_text(config, encoding="utf-8")
        loaded = load(path)
        service = loaded.build_service(broker=self.address)
        loaded.build_endpoints(service, instead)
        return service


def _rest_of(service: Service) -> Callable[[], None]:
    """Return what waits until a service does nothing: no lane has anything running or waiting."""

    def wait() -> None:
        deadline = time.monotonic() + REST_SECONDS
        pause = threading.Event()
        while busy := {lane.name for _, lane in service._life.routes.values() if not lane.is_idle}:
            if time.monotonic() > deadline:
                names = ", ".join(sorted(busy))
                raise TimeoutError(f"{service.name}: after {REST_SECONDS:g} s, {names} still has something to do")
            pause.wait(_POLL_SECONDS)

    return wait

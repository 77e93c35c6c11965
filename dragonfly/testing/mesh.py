"""A mesh in one process: services from YAML, and clients, on one broker."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from dragonfly.core.interface import Interface
from dragonfly.core.service import Service
from dragonfly.loader import load


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

    def serve(self, config: str | Path | Service) -> Service:
        """Start a service and return it when requests flow.

        Args:
            config: the text of a YAML file, the path of one, or a service that is built already.

        Raises:
            ConfigError: the file has problems.
            ServiceStartError: a name is taken.
        """
        service = config if isinstance(config, Service) else self._built(config)
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

    def _built(self, config: str | Path) -> Service:
        path = config
        if isinstance(config, str):
            path = Path(self._directory.name, f"service{len(self._services)}.yaml")
            path.write_text(config, encoding="utf-8")
        loaded = load(path)
        service = loaded.build_service(broker=self.address)
        loaded.build_endpoints(service)
        return service

"""An endpoint that hangs while a test looks at everything else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from dragonfly.testing import Mesh
from tests.waiting import wait_until


@contextmanager
def hanging(mesh: Mesh, directory: Path, name: str = "gate") -> Iterator[None]:
    """Have a GateEndpoint of a mesh hang in a get for as long as the block lasts."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(mesh.client.get, name, timeout=30.0)
        try:
            assert wait_until((directory / f"{name}.entered").exists), "the get has not begun"
            yield
        finally:
            (directory / "open").touch()
        assert asked.result(10).payload == {"values": ["open"]}
        (directory / "open").unlink()
        (directory / f"{name}.entered").unlink()

"""Endpoints that a test puts into a service: one waits for its instrument, one counts what the process holds."""

from __future__ import annotations

import gc
import socket
from typing import Any

from dragonfly.core import Endpoint


class TalkingEndpoint(Endpoint):
    """A value that is asked of an instrument on this machine, however long that takes.

    Keyword Args:
        port (int): where the instrument listens
    """

    def __init__(self, port: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._port = port

    def on_get(self) -> str:
        with socket.create_connection(("127.0.0.1", self._port)) as instrument:
            return instrument.recv(100).decode()


class CensusEndpoint(Endpoint):
    """How many objects the process has that hold others, such as dicts, lists and bound methods."""

    def on_get(self) -> int:
        gc.collect()
        return len(gc.get_objects())

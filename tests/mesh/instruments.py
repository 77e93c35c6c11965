"""Endpoints for tests, loaded by module_path: an instrument that waits for a file, and one that misbehaves."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from dragonfly.core import Endpoint


class GateEndpoint(Endpoint):
    """A value whose get waits until a file is there, and whose sets are written down.

    Keyword Args:
        directory (str): where the files are
    """

    def __init__(self, directory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._directory = Path(directory)

    def on_get(self) -> str:
        (self._directory / f"{self.name}.entered").touch()
        while not (self._directory / "open").exists():
            time.sleep(0.01)
        return "open"

    def on_set(self, value: Any) -> None:
        with (self._directory / "sets").open("a") as sets:
            print(value, file=sets)


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words for it")


class RudeEndpoint(Endpoint):
    """A value whose handlers do what no handler should."""

    def on_get(self) -> Any:
        return object()

    def on_set(self, value: Any) -> None:
        if value == "exit":
            sys.exit("the instrument's library gives up")
        if value == "cancel":
            raise asyncio.CancelledError
        if value == "mute":
            raise MuteError
        raise ZeroDivisionError("no words")

    def on_run(self) -> None:
        raise RuntimeError

    def on_send(self, *commands: Any) -> float:
        return float("nan")

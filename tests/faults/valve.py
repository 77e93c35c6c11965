"""An instrument that writes down what it was told and when, loaded by module_path."""

import time
from pathlib import Path
from typing import Any

from dragonfly.core import Endpoint


class Valve(Endpoint):
    """A value whose sets are written into a file, and whose get hangs until a file is there.

    Keyword Args:
        directory (str): where the files are
    """

    def __init__(self, directory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._directory = Path(directory)

    def on_get(self) -> str:
        (self._directory / "entered").touch()
        while not (self._directory / "open").exists():
            time.sleep(0.01)
        return "open"

    def on_set(self, value: Any) -> None:
        # The time comes first: it is that of the start, however long the file takes.
        line = f"{value} {time.time():.6f}\n"
        with (self._directory / "runs").open("a") as runs:
            runs.write(line)

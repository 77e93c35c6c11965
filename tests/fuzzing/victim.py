"""A service of the command line, whose memory and complaints one looks at."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tests.bench.load import LoadGenerator
from tests.fuzzing.thrown import GOOD, SERVICE, TARGET
from tests.mesh.program import DRAGONFLY, environment

_CONFIG = f"""\
name: {SERVICE}
endpoints:
  - name: my_price_list
    module: kv_store
    endpoints:
      - {{name: {GOOD}, module: kv_store_key, initial_value: 0.75, calibration: "2*{{}}"}}
      - {{name: {TARGET}, module: kv_store_key}}
"""
_START, _END = 60.0, 15.0  # s


class Victim:
    """`dragonfly serve`, as a process of its own.

    Args:
        address: HOST:PORT of the broker.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> Victim:
        self._directory = tempfile.TemporaryDirectory(prefix="dragonfly-victim-")
        self._said = Path(self._directory.name, "stderr")
        config = Path(self._directory.name, "store.yaml")
        config.write_text(_CONFIG)
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*DRAGONFLY, "serve", "-c", str(config), "-b", self._address],
                env=environment(self._address),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        deadline = time.monotonic() + _START
        with LoadGenerator(self._address) as client:
            while not client.answers(GOOD):
                if time.monotonic() > deadline or not self.is_alive:
                    self.__exit__(None, None, None)
                    raise TimeoutError("the service does not answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END)
        finally:
            self._process.kill()
            self._process.wait()
            self._directory.cleanup()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def memory(self) -> float:
        """Return its resident memory, MiB."""
        return self._status("VmRSS") / 1024

    def threads(self) -> int:
        """Return the number of its threads."""
        return self._status("Threads")

    def complaints(self) -> list[str]:
        """Return what it said that a service never says: tracebacks and lost connections."""
        with self._said.open(encoding="utf-8", errors="replace") as lines:
            return [line for line in lines if re.search(r"Traceback|CRITICAL|connection .*lost|Error:", line)][:20]

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)
        assert found is not None, name
        return int(found[1])

"""Programs that listen to alerts and write a line for each: how many a second they take, and that they lose none."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dragonfly.testing.processes import end
from tests.bench.comparison import Samples
from tests.bench.load import LoadGenerator
from tests.bench.servers import ROOT

_SENDER = {
    "username": "bench",
    "exe": "/usr/bin/bench",
    "package": "dripline",
    "hostname": "localhost",
    "version": "0.0.0",
    "commit": "unknown",
    "service_name": "bench",
}
_ALERT = {
    "msgtype": 4,
    "timestamp": "2026-01-01T00:00:00Z",
    "sender_info": _SENDER,
    "payload": {"value_raw": "0.75", "value_cal": 1.5},
}
BODY = json.dumps(_ALERT).encode("ascii")
_ROUTING_KEY = "sensor_value.peaches"
_MARK = _ROUTING_KEY.encode()
_PATIENCE, _STOP_PATIENCE = 60.0, 15.0
_POLL_SECONDS = 0.005


def rate_of(address: str, count: int, words: list[str], listens: str) -> Callable[[], Samples]:
    """Return what measures how many alerts a second a program writes to a file, of so many.

    Args:
        address: HOST:PORT of the broker.
        count: how many alerts.
        words: the command line of the program after the interpreter; it writes the routing key of each alert.
        listens: what it says on stderr when it listens.
    """

    def measure() -> Samples:
        with tempfile.TemporaryDirectory() as directory:
            written = Path(directory, "written")
            with written.open("wb") as file:
                process = subprocess.Popen(
                    [sys.executable, *words], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE
                )
                try:
                    _wait_until_it_listens(process, listens)
                    return [count / _time_of(address, count, written)]
                finally:
                    end(process, signal.SIGINT, _STOP_PATIENCE)
                    assert process.stderr is not None
                    process.stderr.close()

    return measure


def _wait_until_it_listens(process: subprocess.Popen[bytes], listens: str) -> None:
    assert process.stderr is not None
    said = b""
    while listens.encode() not in said:
        line = process.stderr.readline()
        if not line:
            raise RuntimeError(f"it does not listen: {said.decode()}")
        said += line


def _time_of(address: str, count: int, written: Path) -> float:
    """Return how long it takes from the first alert on until all are in the file (s)."""
    with LoadGenerator(address) as generator, written.open("rb") as file:
        begin = time.perf_counter()
        generator.publish_alerts(_ROUTING_KEY, BODY, count)
        seen, rest = 0, b""
        while seen < count:
            text = rest + file.read()
            seen += text.count(_MARK)
            rest = text[-len(_MARK) + 1 :] if not text.endswith(_MARK) else b""
            if time.perf_counter() - begin > _PATIENCE:
                raise RuntimeError(f"{seen} of {count} alerts were written")
            if seen < count:
                time.sleep(_POLL_SECONDS)
        return time.perf_counter() - begin

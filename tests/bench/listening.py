"""Programs that listen to alerts and write a line for each: how many a second they take, and that they lose none."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.children import child, wait_for_line
from tests.bench.comparison import Samples
from tests.bench.load import SENDER, LoadGenerator
from tests.bench.wire import as_json

_ALERT = {
    "msgtype": 4,
    "timestamp": "2026-01-01T00:00:00Z",
    "sender_info": {**SENDER, "service_name": "bench"},
    "payload": {"value_raw": "0.75", "value_cal": 1.5},
}
BODY = as_json(_ALERT)
_ROUTING_KEY = "sensor_value.peaches"
_MARK = _ROUTING_KEY.encode()
_PATIENCE = 60.0
_POLL_SECONDS = 0.005


def rate_of(address: str, count: int, words: list[str], listens: str) -> Samples:
    """Return how many alerts a second a program writes to a file, of so many.

    Args:
        address: HOST:PORT of the broker.
        count: how many alerts.
        words: the command line of the program after the interpreter; it writes the routing key of each alert.
        listens: what it says on stderr when it listens.

    Raises:
        RuntimeError: it has not written all of them after a minute.
    """
    with tempfile.TemporaryDirectory() as directory:
        written = Path(directory, "written")
        with (
            written.open("wb") as file,
            child(words, stop=signal.SIGINT, stdout=file, stderr=subprocess.PIPE) as process,
        ):
            wait_for_line(process.stderr, listens)
            return [count / _time_of(address, count, written)]


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

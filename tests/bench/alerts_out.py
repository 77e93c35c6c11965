"""Alerts out of a logging service: 10,000 endpoints that tell their value every 10 s, which are 1,000 alerts a second.

What counts is the share of a core that the service's process uses. Each endpoint counts up, so that every alert that is
missing is found.
Floor: bare pika, which sends as many alerts of the same size by a timer.
Target: less than half a core, none lost.
Command: python -m tests.bench alerts_out
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench.children import child
from tests.bench.comparison import Measure, Row, Samples, Target, alternate
from tests.bench.configs import key_names, write_config
from tests.bench.servers import serve_words
from tests.bench.setting import Setting
from tests.bench.usage import cpu_seconds
from tests.bench.wire import Ear, Message

_CLASS = '''"""An endpoint whose value is one more each time."""

from dragonfly.core import Spime


class Counting(Spime):
    """Count the gets."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._next = 0

    def on_get(self):
        self._next += 1
        return self._next - 1
'''
# So much of an interval is measured: in one, each endpoint has its turn, if a little early or late.
_INTERVALS = 1.1
_START_PATIENCE = 120.0


class _Load(NamedTuple):
    endpoints: int
    interval: float  # s


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    load = setting.sized(_Load(10_000, 10.0), _Load(100, 0.5))
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "counting.py").write_text(_CLASS, encoding="utf-8")
        config = Path(directory, "logging.yaml")
        of_key = {"module": "Counting", "module_path": "counting.py", "log_interval": load.interval}
        names = key_names("logged", load.endpoints)
        write_config(config, "logging", names, {**of_key, "logging_status": True}, {})
        bare = ["-m", "tests.bench.bare_ticker", setting.address, str(load.endpoints), str(load.interval)]
        contenders: dict[str, Measure] = {
            "product": partial(_figures, setting.address, serve_words(setting.address, str(config)), load),
            "floor": partial(_figures, setting.address, bare, load),
        }
        results = alternate(setting.rounds, contenders)
    (shares, rates), (floor_shares, floor_rates) = (
        zip(*samples, strict=True) for samples in (results["product"], results["floor"])
    )
    name = f"alerts of {load.endpoints} endpoints, every {load.interval:g} s"
    target = Target(0.5, of_ratio=False)
    return [
        Row(f"{name}, share", "of a core", list(shares), list(floor_shares), target),
        Row(f"{name}, none lost", "/s", list(rates), list(floor_rates), more_is_better=True),
    ]


def _figures(address: str, words: list[str], load: _Load) -> Samples:
    """Return what share of a core a program uses while it tells values, and how many a second come.

    Raises:
        RuntimeError: an alert is missing.
    """
    values: dict[str, int] = {}
    with Ear(address, _START_PATIENCE) as ear, child(words) as process:
        alerts = _checked(ear.alerts(), values)
        # The first ones come while others are still being started.
        while len(values) < load.endpoints // 2:
            next(alerts)
        begin, used, count = time.perf_counter(), cpu_seconds(process.pid), 0
        while time.perf_counter() < begin + _INTERVALS * load.interval:
            next(alerts)
            count += 1
        elapsed, used = time.perf_counter() - begin, cpu_seconds(process.pid) - used
    if len(values) < load.endpoints:
        raise RuntimeError(f"{load.endpoints - len(values)} of {load.endpoints} endpoints have not told their value")
    return [used / elapsed, count / elapsed]


def _checked(alerts: Iterator[Message], values: dict[str, int]) -> Iterator[None]:
    """Read alerts, and keep the last value of each endpoint."""
    for alert in alerts:
        value, expected = json.loads(alert.body)["payload"]["value_raw"], values.get(alert.routing_key, -1) + 1
        if value != expected:
            raise RuntimeError(f"{alert.routing_key} is {value!r}, and its {expected} is missing")
        values[alert.routing_key] = expected
        yield

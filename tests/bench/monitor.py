"""Alerts that go through `dragonfly monitor` into a file; none is lost.

Floor: bare pika, which writes the same blocks.
Target: 10,000 small messages a second without losing one.
Command: python -m tests.bench monitor
"""

from __future__ import annotations

from functools import partial

from tests.bench.bare_listener import PREFETCH
from tests.bench.comparison import Measure, Row, Samples, Target, alternate, medians
from tests.bench.listening import rate_of
from tests.bench.setting import Setting

TARGET = Target(10_000, of_ratio=False)
_FORMS: dict[str, tuple[str, ...]] = {"monitor": (), "monitor -po": ("-po",), "monitor --json": ("--json",)}
_BRIEF_FORMS: dict[str, tuple[str, ...]] = {"monitor": ()}


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, count = setting.address, setting.sized(30_000, 500)
    floor = ["tests/bench/bare_listener.py", address, str(PREFETCH)]
    forms = setting.sized(_FORMS, _BRIEF_FORMS)
    contenders: dict[str, Measure] = {name: partial(rate, address, count, *words) for name, words in forms.items()}
    contenders["floor"] = lambda: rate_of(address, count, floor, "listening")
    results = {name: medians(samples) for name, samples in alternate(setting.rounds, contenders).items()}
    return [
        Row(f"{name} to a file / bare pika", "/s", results[name], results["floor"], TARGET, more_is_better=True)
        for name in forms
    ]


def rate(address: str, count: int, *words: str) -> Samples:
    """Return how many alerts a second the monitor writes, of so many."""
    command = ["-m", "dragonfly", "monitor", "-v", "-b", address, *words]
    return rate_of(address, count, command, "starting to monitor")

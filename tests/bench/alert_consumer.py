"""Alerts that an AlertConsumer handles, one that writes each to a file; none is lost.

Floor: bare pika with the same prefetch, which writes the same.
Target: 10,000 small messages a second without losing one.
Command: python -m tests.bench alert_consumer
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.comparison import Row, Samples, Target, alternate, medians
from tests.bench.listening import rate_of
from tests.bench.servers import serve_words
from tests.bench.setting import Setting

_PREFETCH = 100  # as the product's
_CLASS = '''"""An alert consumer that writes."""

import json
import sys

from dragonfly.core import AlertConsumer


class Writer(AlertConsumer):
    """Write each alert to stdout."""

    def this_consume(self, message, method):
        text = json.dumps(message.to_dict(), indent=4)
        print(f"{method.routing_key}\\n{text}", flush=True)
'''
_CONFIG = "name: writer\nmodule: Writer\nmodule_path: writer.py\n"


def run(setting: Setting) -> list[Row]:
    """Return the rows of this benchmark."""
    address, count = setting.address, setting.sized(30_000, 500)
    floor = ["tests/bench/bare_listener.py", address, str(_PREFETCH)]
    results = alternate(
        setting.rounds,
        {"product": lambda: rate(address, count), "floor": lambda: rate_of(address, count, floor, "listening")},
    )
    product, bare = (medians(samples) for samples in results.values())
    target = Target(10_000, of_ratio=False)
    return [Row("alert consumer, to a file / bare pika", "/s", product, bare, target, more_is_better=True)]


def rate(address: str, count: int) -> Samples:
    """Return how many alerts a second the consumer writes, of so many."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "writer.py").write_text(_CLASS, encoding="utf-8")
        config = Path(directory, "writer.yaml")
        config.write_text(_CONFIG, encoding="utf-8")
        return rate_of(address, count, [*serve_words(address, str(config)), "-v"], "starting event loop")

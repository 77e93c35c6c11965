"""Alerts that an AlertConsumer handles, one that writes each to a file, beside bare pika which does the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from tests.bench.comparison import Row, alternate
from tests.bench.listening import rate_of

ROUNDS = 5
_ALERTS, _QUICK_ALERTS = 20_000, 500
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


def run(address: str, rounds: int | None, quick: bool) -> list[Row]:
    """Return the rows of this benchmark."""
    count = _QUICK_ALERTS if quick else _ALERTS
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "writer.py").write_text(_CLASS, encoding="utf-8")
        config = Path(directory, "writer.yaml")
        config.write_text(_CONFIG, encoding="utf-8")
        serve = ["-m", "dragonfly", "serve", "-v", "-b", address, "-c", str(config)]
        results = alternate(
            rounds or ROUNDS,
            {
                "product": rate_of(address, count, serve, "starting event loop"),
                "floor": rate_of(
                    address, count, ["tests/bench/bare_listener.py", address, str(_PREFETCH)], "listening"
                ),
            },
        )
    product, floor = ([median(samples) for samples in results[name]] for name in ("product", "floor"))
    return [Row("alert consumer, a file / bare pika", "/s", product, floor, more_is_better=True)]

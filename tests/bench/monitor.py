"""Alerts that go through the monitor into a file, beside bare pika which writes the same; none is lost."""

from __future__ import annotations

from statistics import median

from tests.bench.bare_listener import PREFETCH
from tests.bench.comparison import Row, alternate
from tests.bench.listening import rate_of

ROUNDS = 5
_ALERTS, _QUICK_ALERTS = 30_000, 500
_FORMS = {"monitor": [], "monitor -po": ["-po"], "monitor --json": ["--json"]}


def run(address: str, rounds: int | None, quick: bool) -> list[Row]:
    """Return the rows of this benchmark."""
    count = _QUICK_ALERTS if quick else _ALERTS
    product = {
        name: rate_of(
            address, count, ["-m", "dragonfly", "monitor", "-v", "-b", address, *words], "starting to monitor"
        )
        for name, words in _FORMS.items()
    }
    floor = rate_of(address, count, ["tests/bench/bare_listener.py", address, str(PREFETCH)], "listening")
    results = alternate(rounds or ROUNDS, {**product, "floor": floor})
    floors = [median(samples) for samples in results["floor"]]
    return [
        Row(f"{name} to a file / bare pika", "/s", [median(one) for one in results[name]], floors, more_is_better=True)
        for name in product
    ]

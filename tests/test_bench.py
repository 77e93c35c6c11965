"""The benchmarks still run; their figures are no test."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_every_benchmark_runs_and_tells_its_ratios(broker: Any, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    words = ["--rounds", "1", "--quick", "--broker", broker.address, "--json", str(figures)]
    done = subprocess.run([sys.executable, "-m", "tests.bench", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    benchmarks = json.loads(figures.read_text())["benchmarks"]
    assert sorted(benchmarks) == ["alert_consumer", "brokers", "command_get", "monitor", "sequential_get"]
    assert all(benchmarks.values())

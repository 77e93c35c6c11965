"""Run benchmarks: python -m tests.bench [NAME...] [--rounds N] [--brief] [--broker KIND] [--json FILE]."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

from tests.bench import BENCHMARKS
from tests.bench.comparison import Row, heading, table
from tests.bench.servers import EMBEDDED, RABBITMQ, broker
from tests.bench.setting import ROUNDS, Setting


def main() -> None:
    """Run what the command line names and print its table."""
    args = _arguments()
    # As an exception, so that all services end.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    rounds = 1 if args.brief else args.rounds
    if rounds < ROUNDS:
        print(f"rounds: {rounds}, and ratios mean something from {ROUNDS} on: this only shows that it runs")
    results: dict[str, dict[str, object]] = {}
    try:
        with broker(args.broker) as running:
            print(heading(), flush=True)
            for name in args.names or BENCHMARKS:
                begin = time.monotonic()
                rows = importlib.import_module(f"tests.bench.{name}").run(Setting(running, rounds, args.brief))
                results[name] = _as_dict(rows, time.monotonic() - begin)
                _show(name, rows)
                _write(args.json, _about(args.broker, rounds) | {"benchmarks": results})
    except KeyboardInterrupt:
        sys.exit(130)


def _show(name: str, rows: list[Row]) -> None:
    # A benchmark without rows has said why.
    print(f"{name}:", flush=True)
    if rows:
        print(table(rows), flush=True)


def _write(path: Path | None, results: dict[str, object]) -> None:
    """Write what there is so far: a benchmark that fails costs nothing of what came before it."""
    if path is not None:
        path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _as_dict(rows: list[Row], seconds: float) -> dict[str, object]:
    return {"seconds": round(seconds, 1), "rows": [row.as_dict() for row in rows]}


def _about(broker_kind: str, rounds: int) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "broker": broker_kind,
        "rounds": rounds,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often the contenders take turns (%(default)s)")
    parser.add_argument("--brief", action="store_true", help="one small round: to see that it runs, not how fast")
    parser.add_argument(
        "--broker", default=RABBITMQ, help=f"{EMBEDDED}, {RABBITMQ} (the default), or HOST:PORT of one that runs"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file, too")
    args = parser.parse_args()
    unknown = set(args.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if args.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    return args


if __name__ == "__main__":
    main()

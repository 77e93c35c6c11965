"""Run benchmarks: python -m tests.bench [NAME...] [--rounds N] [--brief] [--broker KIND] [--json FILE [--add]]."""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

import pika

import dragonfly
from tests.bench import BENCHMARKS
from tests.bench.comparison import Row, heading, table
from tests.bench.load import LoadGenerator
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
    results: dict[str, dict[str, object]] = _kept(args.json) if args.add else {}
    try:
        with broker(args.broker) as running:
            about = _about(running.address, args)
            print(heading(), flush=True)
            for name in args.names or BENCHMARKS:
                begin = time.monotonic()
                rows = importlib.import_module(f"tests.bench.{name}").run(Setting(running, rounds, args.brief))
                results[name] = _as_dict(rows, time.monotonic() - begin, about)
                _show(name, rows)
                _write(args.json, {"benchmarks": results})
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


def _kept(path: Path) -> dict[str, dict[str, object]]:
    """Return what a file has of an earlier run, or nothing where there is none."""
    return dict(json.loads(path.read_text(encoding="utf-8"))["benchmarks"]) if path.exists() else {}


def _as_dict(rows: list[Row], seconds: float, about: dict[str, object]) -> dict[str, object]:
    # With its conditions: another run may add to the file, under others.
    day = datetime.date.today().isoformat()
    return {"date": day, "seconds": round(seconds, 1), "about": about, "rows": [row.as_dict() for row in rows]}


def _about(address: str, args: argparse.Namespace) -> dict[str, object]:
    with LoadGenerator(address) as generator:
        server = f"{generator.broker_product} {generator.broker_version}"
    return {
        "dragonfly": dragonfly.__version__,
        "python": platform.python_version(),
        "pika": pika.__version__,
        "server": server,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "broker": args.broker,
        "rounds": 1 if args.brief else args.rounds,
        "brief": args.brief,
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
    parser.add_argument("--add", action="store_true", help="keep what the file has of other benchmarks")
    args = parser.parse_args()
    unknown = set(args.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if args.add and args.json is None:
        parser.error("--add goes with --json FILE")
    if args.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    return args


if __name__ == "__main__":
    main()

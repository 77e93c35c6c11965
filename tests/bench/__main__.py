"""Run benchmarks: python -m tests.bench [NAME...] [--rounds N] [--quick] [--broker HOST:PORT] [--json FILE]."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import signal
import sys
from pathlib import Path

from tests.bench import BENCHMARKS
from tests.bench.comparison import Row, table
from tests.bench.servers import broker


def main() -> None:
    """Run what the command line names and print its table."""
    args = _arguments()
    # As an exception, so that all services end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows: dict[str, list[Row]] = {}
    with broker(args.broker) as address:
        for name in args.names or BENCHMARKS:
            rows[name] = importlib.import_module(f"tests.bench.{name}").run(address, args.rounds, args.quick)
            print(table(rows[name]), flush=True)
    if args.json:
        results = {name: [row.as_dict() for row in listed] for name, listed in rows.items()}
        about = {"python": platform.python_version(), "machine": platform.platform(), "benchmarks": results}
        args.json.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition(":")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--rounds", type=int, help="how often the contenders take turns; each benchmark's own by default"
    )
    parser.add_argument("--quick", action="store_true", help="small rounds: to see that it runs, not how fast")
    parser.add_argument("--broker", metavar="HOST:PORT", help="a running broker, instead of a RabbitMQ of our own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file, too")
    args = parser.parse_args()
    unknown = set(args.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if args.rounds is not None and args.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    return args


if __name__ == "__main__":
    main()

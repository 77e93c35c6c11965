"""Soak: one mesh under load for as long as one likes, faults at random, and what must hold checked all the time.

    python -m tests.soak --minutes 60 [--seed S] [--figures FILE]

It starts a RabbitMQ of its own, 20 services, clients and consumers, each a process. Between the faults they exchange
thousands of requests and alerts a second. It prints a line every ten seconds, and at the end what came of it; its exit
status is 1 where something was seen that must not be. It ends all that it started, also on Ctrl-C.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from pathlib import Path

# As a script, the folder of this file is where imports are looked for, and not the checkout.
sys.path.insert(0, str(Path(__file__).parents[1]))

from dragonfly.testing import RabbitMQNode
from tests.figures import Figure, write_down
from tests.soaking.mesh import SoakMesh
from tests.soaking.run import Soak


def main() -> int:
    """Run what the command line says; return the exit status."""
    args = _arguments()
    if not RabbitMQNode.installed():
        print("a soak needs RabbitMQ, which is not installed here", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    print(f"soak of {args.minutes:g} minutes, seed {seed}", flush=True)
    try:
        with SoakMesh(args.requests, args.alerts) as mesh:
            soak = Soak(mesh, seed, 60 * args.minutes, args.only)
            soak.run()
    except KeyboardInterrupt:
        print("interrupted: all that was started has ended", file=sys.stderr)
        return 130
    _print_summary(soak, seed)
    if args.figures is not None:
        for what, value in _figures(soak):
            load = f"--requests {args.requests:g} --alerts {args.alerts:g}"
            command = f"python -m tests.soak --minutes {args.minutes:g} --seed {seed} {load}"
            write_down(args.figures, Figure("Soak", what, value, command))
    return 1 if soak.violations.count else 0


def _print_summary(soak: Soak, seed: int) -> None:
    print()
    for what, value in _figures(soak):
        print(f"{what}: {value}")
    for line in soak.recovery.summary():
        print(f"  {line}")
    if soak.clients.slow:
        print(f"{soak.clients.slow} requests failed while the machine itself was slow, and do not count")
    for sentence in soak.violations.summary():
        print(f"VIOLATION {sentence}")
    if soak.violations.count:
        print(f"repeat it with --seed {seed}")


def _figures(soak: Soak) -> list[tuple[str, str]]:
    requests, alerts, seconds = soak.clients.answered, soak.stored.count, soak.seconds
    faults = sum(soak.faults.values())
    full = min(1.0, soak.control.full_in_all / seconds)
    return [
        ("requests answered", f"{requests:,}, {requests / seconds:,.0f} a second, faults included"),
        ("requests that failed during a fault", f"{soak.clients.failed:,}"),
        (
            "commands run, each once",
            f"{soak.commands.count:,}, the latest {soak.commands.latest:+.2f} s to its deadline",
        ),
        ("alerts stored, each once", f"{alerts:,}, {alerts / seconds:,.0f} a second, faults included"),
        ("faults", f"{faults} of {len(soak.faults)} kinds"),
        ("violations", f"{soak.violations.count}"),
        ("time in which the processors were too busy to tell what is late", f"{100 * full:.0f} %"),
        (
            "growth after the warm-up, the most of any process",
            f"{soak.growth.threads} threads, {soak.growth.files} files, {soak.growth.memory:.1f} MiB"
            f" ({soak.growth.compared} processes)",
        ),
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition(":")[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long; 60 by default")
    parser.add_argument("--seed", type=int, help="what the faults follow from; a new one by default")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="file that gets what was measured")
    parser.add_argument("--requests", type=float, default=1000.0, help="requests a second; 1000 by default")
    parser.add_argument("--alerts", type=float, default=1000.0, help="alerts a second; 1000 by default")
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="only faults whose name has this in it, such as kill"
    )
    args = parser.parse_args()
    if args.minutes <= 0:
        parser.error("--minutes takes a number above 0")
    return args


if __name__ == "__main__":
    sys.exit(main())

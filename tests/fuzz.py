"""Fuzzing: the claims of tests/fuzzing on examples that nobody has seen, and malformed messages to a live service.

    python tests/fuzz.py --seconds 60
    python tests/fuzz.py --seconds 60 --seed 8f2c91    the same examples again
    python tests/fuzz.py --seconds 60 --messages 1000000 --broker embedded

It prints a line for each part, and ends with status 1 where a claim does not hold: with the seed, and the smallest
example that it does not hold for.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import secrets
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    # As a program, `python tests/fuzz.py` has its own folder in this place.
    sys.path[0] = str(ROOT)

from dragonfly.broker import Broker  # noqa: E402
from dragonfly.testing import RabbitMQNode  # noqa: E402
from tests.figures import Figure, write_down  # noqa: E402
from tests.fuzzing.flood import Flood  # noqa: E402
from tests.fuzzing.part import PARTS, Failure, one_round  # noqa: E402
from tests.fuzzing.victim import Victim  # noqa: E402

SECONDS, MESSAGES = 60.0, 20_000
_LONGEST = 2_000


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, and return the exit status."""
    args = _parser().parse_args(arguments)
    seed = args.seed or secrets.token_hex(4)
    print(f"seed {seed}", flush=True)
    # What the product, and Python itself, say of each bad example is not for here.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    _find_parts()
    tried, failed = _fuzz(seed, args.seconds)
    failed |= args.messages > 0 and not _flood(seed, args.messages, args.broker)
    if args.figures is not None:
        what = f"random examples for {len(PARTS)} claims on whatever reads input, in {args.seconds:g} s"
        value = f"{tried:,} examples, {'a claim did not hold' if failed else 'each claim held'}"
        command = f"python tests/fuzz.py --seconds {args.seconds:g} --seed {seed}"
        write_down(args.figures, Figure("Bad input", what, value, command))
    print(f"FAILED; again with --seed {seed}" if failed else "ok")
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Try what nobody has thought of.")
    kinds = ("rabbitmq", "embedded")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long to fuzz (%(default)g)")
    parser.add_argument(
        "--messages", type=int, default=MESSAGES, help="how many to send to a live service (%(default)d)"
    )
    parser.add_argument("--figures", type=Path, help="file that gets what was tried")
    parser.add_argument("--seed", help="that of a run that is to be repeated")
    usual = kinds[not RabbitMQNode.installed()]
    parser.add_argument("--broker", choices=kinds, default=usual, help="what it starts for that (%(default)s here)")
    return parser


def _find_parts() -> None:
    for file in sorted((ROOT / "tests" / "fuzzing").glob("test_*.py")):
        importlib.import_module(f"tests.fuzzing.{file.stem}")


def _fuzz(seed: str, seconds: float) -> tuple[int, bool]:
    """Try each claim in turn until the time is over, once at least; return on how many, and whether one fails."""
    end = time.monotonic() + seconds
    tried: Counter[str] = Counter()
    failures: dict[str, Failure] = {}
    number = 0
    while number == 0 or (time.monotonic() < end and len(failures) < len(PARTS)):
        for part in PARTS:
            if part.name in failures or (number and time.monotonic() > end):
                continue
            count, failure = one_round(part, number, seed)
            tried[part.name] += count
            if failure is not None:
                failures[part.name] = failure
        number += 1
    for part in PARTS:
        _report(f"{part.name}: {tried[part.name]:,} examples", failures.get(part.name))
    return sum(tried.values()), bool(failures)


def _report(line: str, failure: Failure | None) -> None:
    print(f"{line}{'' if failure is None else ': FAILED'}", flush=True)
    if failure is not None:
        error = f"{type(failure.error).__name__}: {failure.error}"
        print(f"    smallest example: {_shown(failure.example)}\n    {error[:_LONGEST]}", flush=True)


def _shown(example: object) -> str:
    try:
        return repr(example)[:_LONGEST]
    except (ValueError, RecursionError) as err:
        return f"(it cannot be shown: {err})"


def _flood(seed: str, count: int, kind: str) -> bool:
    """Send malformed messages to a live service; return whether all is as it must be."""
    broker = RabbitMQNode() if kind == "rabbitmq" else Broker()
    broker.start()
    try:
        with Victim(broker.address) as victim, Flood(broker.address) as flood:
            thrower = flood.thrower(seed)
            flood.begin()
            began = time.monotonic()
            problem = ""
            try:
                for message in thrower.large():
                    flood.throw([message])
                flood.throw_many(thrower, count)
                counted = flood.settle()
            except (AssertionError, OSError) as err:
                counted, problem = {}, f"{type(err).__name__}: {err}"
            problems = [problem] if problem else []
            problems += [] if victim.is_alive else ["the service has ended"]
            problems += victim.complaints()
            speed = flood.sent / (time.monotonic() - began)
            print(f"malformed messages on {kind}: {flood.sent:,} sent, {speed:,.0f} a second; {_listed(counted)}")
            print(f"    {_listed(dict(flood.kinds))}")
            for text in problems:
                print(f"    FAILED: {text.rstrip()}")
            return not problems
    finally:
        broker.stop()


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)


if __name__ == "__main__":
    sys.exit(main())

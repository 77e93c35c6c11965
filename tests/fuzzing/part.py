"""A part of the fuzzing: a claim, and what it is tried on.

In a run of the tests it is the same few hundred examples each time; `python tests/fuzz.py` tries others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

EXAMPLES = 200
# A round of the other way to run it: short enough that each part has its turn within a few seconds.
ROUND = 100

Check = Callable[[Any], None]


class Part(NamedTuple):
    """A claim and what it is tried on."""

    name: str
    examples: SearchStrategy[Any]
    check: Check


class Failure(NamedTuple):
    """The smallest example that a claim does not hold for, and what was raised."""

    example: Any
    error: BaseException


PARTS: list[Part] = []

# Nothing is kept from one run for the next, and a busy machine is no failure.
_ALWAYS = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


def part(examples: SearchStrategy[Any], count: int = EXAMPLES) -> Callable[[Check], Check]:
    """Make a test of a claim about one example.

    Args:
        examples: what it is tried on.
        count: how many of them a run of the tests tries.
    """

    def made(check: Check) -> Check:
        PARTS.append(Part(check.__name__.removeprefix("test_").replace("_", " "), examples, check))
        test: Check = settings(derandomize=True, max_examples=count, **_ALWAYS)(given(examples)(check))
        return test

    return made


def one_round(of: Part, number: int, start: str) -> tuple[int, Failure | None]:
    """Try ROUND new examples; return how many were tried, and the smallest for which the claim does not hold.

    Args:
        of: the claim.
        number: of the round, counted from 0.
        start: the seed of the run.
    """
    tried = 0
    failure: Failure | None = None

    def attempt(example: Any) -> None:
        nonlocal tried, failure
        tried += 1
        try:
            of.check(example)
        except BaseException as err:
            failure = Failure(example, err)  # the last that fails is the smallest
            raise

    phases = (Phase.generate, Phase.shrink)
    run = settings(max_examples=ROUND, phases=phases, report_multiple_bugs=False, **_ALWAYS)(
        given(of.examples)(attempt)
    )
    try:
        seed(f"{start}/{of.name}/{number}")(run)()
    except KeyboardInterrupt:
        raise
    except BaseException:
        if failure is None:
            raise
    return tried, failure

"""What a benchmark is run with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from tests.bench.servers import BenchBroker

_Value = TypeVar("_Value")
ROUNDS = 7


@dataclass(frozen=True)
class Setting:
    """What a benchmark is run with.

    Args:
        broker: the broker that it uses.
        rounds: how often the contenders take turns.
        brief: whether it is only to be seen that the benchmark runs: all counts are small.
    """

    broker: BenchBroker
    rounds: int = ROUNDS
    brief: bool = False

    @property
    def address(self) -> str:
        """HOST:PORT of the broker."""
        return self.broker.address

    def sized(self, full: _Value, brief: _Value) -> _Value:
        """Return the one of the two that fits."""
        return brief if self.brief else full

"""Contenders that take turns, and what their figures say.

Rules:
1. The speed of a machine changes from minute to minute: only ratios within one round mean anything.
2. The order of the contenders turns round with each round, so that a drift favours none of them.
3. The verdict is the median of the rounds' ratios; their smallest and largest say how far to believe it.
4. A figure without a floor, such as a memory, stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import NamedTuple

Samples = list[float]
Measure = Callable[[], Samples]
FLOOR, PRODUCT = "floor", "product"
US, MS = 1e6, 1e3
_NAME_WIDTH = 52


class Target(NamedTuple):
    """What a row is to reach.

    Args:
        limit: the largest value, or the smallest one where more is better.
        of_ratio: whether it is about the ratio, not about the product's figure.
    """

    limit: float
    of_ratio: bool = True


@dataclass(frozen=True)
class Row:
    """One line of the table: the product's figure against the floor's, of each round.

    Args:
        name: what was measured.
        unit: of the figures.
        product: the product's figure of each round.
        floor: the floor's figure of each round; nothing where there is no floor.
        target: what it is to reach, if anything.
        names: what the two are called.
        more_is_better: whether the figures are rates, not times.
    """

    name: str
    unit: str
    product: Samples
    floor: Samples = field(default_factory=list)
    target: Target | None = None
    names: tuple[str, str] = (PRODUCT, FLOOR)
    more_is_better: bool = False

    @property
    def ratios(self) -> Samples:
        """The product's figure divided by the floor's, of each round."""
        if not self.floor:
            return []
        return [product / floor if floor else 0.0 for product, floor in zip(self.product, self.floor, strict=True)]

    @property
    def reached(self) -> bool | None:
        """Whether the median, as the table shows it, reaches the target; None where there is no target."""
        if self.target is None:
            return None
        value = round(median(self.ratios if self.target.of_ratio else self.product), 2)
        return value >= self.target.limit if self.more_is_better else value <= self.target.limit

    @property
    def target_text(self) -> str:
        """The target in words."""
        if self.target is None:
            return ""
        bound = "at least" if self.more_is_better else "at most"
        return f"{bound} {self.target.limit:,g} {'x' if self.target.of_ratio else self.unit}"

    def as_dict(self) -> dict[str, object]:
        """Return the row as JSON has it."""
        ratios = self.ratios
        return {
            "name": self.name,
            "unit": self.unit,
            "names": self.names,
            "product": median(self.product),
            "floor": median(self.floor) if self.floor else None,
            "ratio": median(ratios) if ratios else None,
            "ratio_min": min(ratios) if ratios else None,
            "ratio_max": max(ratios) if ratios else None,
            "target": self.target_text or None,
            "reached": self.reached,
            "rounds": {"product": self.product, "floor": self.floor},
        }


def alternate(rounds: int, contenders: Mapping[str, Measure]) -> dict[str, list[Samples]]:
    """Let the contenders take turns and return what each gave, one list of samples a round."""
    results: dict[str, list[Samples]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)[:: 1 if number % 2 else -1]
        for name in names:
            results[name].append(contenders[name]())
    return results


def medians(results: Iterable[Samples], scale: float = 1.0) -> Samples:
    """Return the median of each round's samples, in another unit."""
    return [scale * median(samples) for samples in results]


def p99s(results: Iterable[Samples], scale: float = 1.0) -> Samples:
    """Return the 99th percentile of each round's samples, in another unit."""
    return [
        scale * (quantiles(samples, n=100, method="inclusive")[-1] if len(samples) > 1 else samples[0])
        for samples in results
    ]


def counted(number: int, what: str) -> str:
    """Return a number of something, whose plural is given: `1 service`, `2 services`."""
    return f"{number} {what.removesuffix('s') if number == 1 else what}"


def table(rows: Iterable[Row]) -> str:
    """Return the rows as text: the medians, the ratio with its smallest and largest, and the target."""
    lines = []
    for row in rows:
        ratios = row.ratios
        floor = f"{_number(median(row.floor)):>9}" if row.floor else " " * 9
        ratio = f"{median(ratios):6.2f} ({min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)})" if ratios else ""
        verdict = "" if row.reached is None else f"{row.target_text}: {'yes' if row.reached else 'NO'}"
        figures = f"{_number(median(row.product)):>9} {floor} {row.unit:8}"
        lines.append(f"{row.name:{_NAME_WIDTH}} {figures} {ratio:26} {verdict}".rstrip())
    return "\n".join(lines)


def heading() -> str:
    """Return the table's head."""
    spread = "ratio (smallest-largest, rounds)"
    return f"{'':{_NAME_WIDTH}} {PRODUCT:>9} {FLOOR:>9} {'':8} {spread:26} target"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"

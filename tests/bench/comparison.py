"""Contenders that take turns, and what their times say.

Rules:
1. The speed of a machine changes from minute to minute: only ratios within one round mean anything.
2. The order of the contenders turns round with each round, so that a drift favours none of them.
3. The verdict is the median of the rounds' ratios; their smallest and largest say how far to believe it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

Samples = list[float]
_US = 1e6


@dataclass(frozen=True)
class Row:
    """One line of the table: the product's figure against the floor's, of each round.

    Args:
        name: what was measured.
        unit: of the figures.
        product: the product's figure of each round.
        floor: the floor's figure of each round.
        names: what the table calls the two.
        more_is_better: whether the figures are rates, not times.
    """

    name: str
    unit: str
    product: Samples
    floor: Samples
    names: tuple[str, str] = ("product", "floor")
    more_is_better: bool = False

    @property
    def better(self) -> str:
        """The name of the one that wins by the median of the ratios."""
        return self.names[(median(self.ratios) > 1) != self.more_is_better]

    @property
    def ratios(self) -> Samples:
        """The product's figure divided by the floor's, of each round."""
        return [product / floor for product, floor in zip(self.product, self.floor, strict=True)]

    def as_dict(self) -> dict[str, object]:
        """Return the row as JSON has it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "product": median(self.product),
            "floor": median(self.floor),
            "ratio": median(self.ratios),
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
            "names": self.names,
            "better": self.better,
            "rounds": {"product": self.product, "floor": self.floor},
        }


def alternate(rounds: int, contenders: Mapping[str, Callable[[], Samples]]) -> dict[str, list[Samples]]:
    """Let the contenders take turns and return what each gave, one list of samples a round."""
    results: dict[str, list[Samples]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 else list(reversed(contenders))
        for name in names:
            results[name].append(contenders[name]())
    return results


def latency_rows(name: str, product: Iterable[Samples], floor: Iterable[Samples]) -> list[Row]:
    """Return median and 99th percentile (us) of the rounds' samples (s)."""
    product, floor = list(product), list(floor)
    return [
        Row(f"{name}, {label}", "us", [_US * of(one) for one in product], [_US * of(one) for one in floor])
        for label, of in (("median", median), ("p99", p99))
    ]


def p99(samples: Samples) -> float:
    """Return the 99th percentile."""
    return quantiles(samples, n=100, method="inclusive")[-1] if len(samples) > 1 else samples[0]


def table(rows: Iterable[Row]) -> str:
    """Return the rows, which all compare the same two, as text."""
    rows = list(rows)
    product, floor = rows[0].names
    lines = [f"{'':44} {product:>10} {floor:>10}    {'ratio':>6} {'(smallest-largest, rounds)':26} better"]
    for row in rows:
        ratios = row.ratios
        spread = f"({min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)})"
        lines.append(
            f"{row.name:44} {median(row.product):>10.0f} {median(row.floor):>10.0f} {row.unit:2} {median(ratios):>6.2f}"
            f" {spread:26} {row.better}"
        )
    return "\n".join(lines)

"""Steps of the tests of expressions."""

from typing import Any

from dragonfly.core.expression import Expression


def twice(value: float) -> float:
    return 2.0 * value


def evaluate(text: str, raw: Any, **functions: Any) -> Any:
    return Expression(text, functions)(raw)

"""What an expression may hold, and what each operator and function may cost.

simpleeval evaluates; its own limits are made for programs, these for measurements: no result of unbounded size, nothing
that takes longer than a moment.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

from dragonfly.core.exceptions import DriplineValueError

# A power or product with more bits than this is no measurement: it is a way to stop a service.
MAX_BITS = 4_096

ALLOWED = (
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.UnaryOp,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.keyword,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Pow,
    ast.BitAnd,
    ast.BitOr,
    ast.BitXor,
    ast.RShift,
    ast.UAdd,
    ast.USub,
    ast.Not,
    ast.And,
    ast.Or,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
)
CONSTANTS = {name: value for name, value in vars(math).items() if isinstance(value, float)}


def _of_numbers(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Keep an operator to numbers: on texts, '*' and '%' make results of any size."""

    def checked(left: Any, right: Any) -> Any:
        for side in (left, right):
            if not isinstance(side, (int, float)):
                raise DriplineValueError(f"{side!r:.80} is not a number")
        return operation(left, right)

    return checked


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        raise DriplineValueError(f"a power of more than {MAX_BITS} bits is refused")
    return base**exponent


def _product(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_BITS:
        raise DriplineValueError(f"a product of more than {MAX_BITS} bits is refused")
    return left * right


def _bounded(function: Callable[..., Any], limit: int) -> Callable[..., Any]:
    """Keep a function whose cost grows with its whole numbers to small ones."""

    @wraps(function)
    def checked(*args: Any) -> Any:
        for value in args:
            if isinstance(value, int) and abs(value) > limit:
                raise DriplineValueError(f"{function.__name__} takes whole numbers up to {limit} here")
        return function(*args)

    return checked


def _round(value: float, ndigits: int | None = None) -> Any:
    if ndigits is not None and not -300 <= ndigits <= 300:
        raise DriplineValueError("round takes up to 300 digits here")
    return round(value, ndigits)


@lru_cache(maxsize=1)
def functions() -> dict[str, Callable[..., Any]]:
    """Return what every expression may call: the functions of `math`, and a few built-in ones."""
    known = {name: value for name, value in vars(math).items() if callable(value) and not name.startswith("_")}
    for name in ("dist", "fsum", "prod", "sumprod"):  # they take lists, which an expression has not
        known.pop(name, None)
    for name in ("factorial", "comb", "perm"):
        known[name] = _bounded(known[name], 1_000)
    return {**known, "abs": abs, "min": min, "max": max, "round": _round, "int": int, "float": float}


@lru_cache(maxsize=1)
def _operators() -> dict[type[ast.AST], Callable[..., Any]]:
    of_numbers = {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: _product,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
        ast.Pow: _power,
        ast.BitAnd: operator.and_,
        ast.BitOr: operator.or_,
        ast.BitXor: operator.xor,
        ast.RShift: operator.rshift,
    }
    return {
        **{node: _of_numbers(operation) for node, operation in of_numbers.items()},
        ast.UAdd: operator.pos,
        ast.USub: operator.neg,
        ast.Not: operator.not_,
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.In: lambda item, container: operator.contains(container, item),
        ast.NotIn: lambda item, container: not operator.contains(container, item),
    }


def evaluator(functions: Mapping[str, Callable[..., Any]]) -> Callable[[ast.expr, Mapping[str, Any]], Any]:
    """Return the function that evaluates a checked expression with the values of its names."""
    from simpleeval import InvalidExpression, SimpleEval  # only where a calibration needs it

    def evaluate(tree: ast.expr, names: Mapping[str, Any]) -> Any:
        simple.names = {**CONSTANTS, **names}
        try:
            return simple.eval("", previously_parsed=tree)
        except InvalidExpression as err:
            raise DriplineValueError(str(err)) from err

    simple = SimpleEval(operators=_operators(), functions=dict(functions), names={})
    return evaluate

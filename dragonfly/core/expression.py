"""The text form of a calibration: an expression with places for the raw value.

Each `{}` is replaced by a name before the text is parsed, so what an instrument sends is always a value and never
program text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from dragonfly.core import arithmetic
from dragonfly.core.exceptions import DriplineError, DriplineValueError
from dragonfly.core.numbers import number_of

MAX_RAW_LENGTH = 10_000
MAX_EXPRESSION_LENGTH = 1_000
MAX_FORMAT_WIDTH = 100
MAX_DEPTH = 100

# What a function of a class may raise when it is given a value that it does not like.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

Function = Callable[..., Any]

_SLOT = re.compile(r"\{(?::(?P<format>[^{}]*))?\}")
_FORMAT = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?(?P<width>\d*)[,_]?(?:\.(?P<precision>\d+))?[a-zA-Z%]?")
_TEXT = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_GLUE = re.compile(r"""[\w.'"{]""")


class Expression:
    """An expression, checked once and evaluated for each raw value.

    Args:
        text: the expression.
        functions: what it may call besides the functions of `math`, by name.

    Raises:
        DriplineValueError: it cannot be read.
    """

    def __init__(self, text: str, functions: Mapping[str, Function]) -> None:
        self._text = text
        if len(text) > MAX_EXPRESSION_LENGTH:
            raise self._unreadable(f"it has {len(text)} characters, at most {MAX_EXPRESSION_LENGTH} are read")
        self._slots: dict[str, Callable[[Any], Any]] = {}
        self._functions = {**arithmetic.functions(), **functions}
        self._tree = self._parsed(self._with_slots(text))
        self._evaluator = arithmetic.evaluator(self._functions)

    def __call__(self, raw: Any) -> Any:
        """Return the value of the expression for a raw value.

        Raises:
            DriplineValueError: it has none.
        """
        if isinstance(raw, str) and len(raw) > MAX_RAW_LENGTH:
            raise DriplineValueError(f"the raw value has {len(raw)} characters, a calibration takes {MAX_RAW_LENGTH}")
        names = {name: value_of(raw) for name, value_of in self._slots.items()}
        try:
            value = self._evaluator(self._tree, names)
        except DriplineError:
            raise
        except _FAILURES as err:
            reason = str(err) or type(err).__name__
            raise DriplineValueError(f"calibration {self._text!r} of {raw!r:.80} failed: {reason}") from err
        if value is not None and not isinstance(value, (int, float, str)):
            raise DriplineValueError(f"calibration {self._text!r} of {raw!r:.80} gives {value!r:.80}, no number")
        return value

    def _unreadable(self, why: str) -> DriplineValueError:
        return DriplineValueError(f"calibration {self._text[:80]!r} cannot be read: {why}")

    def _with_slots(self, text: str) -> str:
        """Replace each place where the raw value stands by a name."""
        pieces: list[str] = []
        position = 0
        while position < len(text):
            character = text[position]
            if character in "'\"":
                piece, position = self._quoted(text, position)
            elif character in "{}":
                piece, position = self._bare(text, position)
            else:
                piece, position = character, position + 1
            pieces.append(piece)
        return "".join(pieces)

    def _quoted(self, text: str, position: int) -> tuple[str, int]:
        match = _TEXT.match(text, position)
        if match is None:
            raise self._unreadable("a quoted text has no end")
        if position and re.match(r"\w", text[position - 1]):
            raise self._unreadable(f"{text[position - 1]!r} stands before a quoted text")
        if "{" not in match[0] and "}" not in match[0]:
            return match[0], match.end()
        try:
            template = ast.literal_eval(match[0])
        except (SyntaxError, ValueError) as err:
            raise self._unreadable(f"{match[0]} is no text: a backslash begins something that is none") from err
        parts = self._template(template)
        return self._slot(lambda raw: "".join(part(raw) for part in parts)), match.end()

    def _template(self, template: str) -> list[Callable[[Any], str]]:
        parts: list[Callable[[Any], str]] = []
        position = 0
        for match in _SLOT.finditer(template):
            parts.append(_constant(self._no_braces(template[position : match.start()])))
            parts.append(_formatted(self._format(match)))
            position = match.end()
        parts.append(_constant(self._no_braces(template[position:])))
        return parts

    def _no_braces(self, text: str) -> str:
        if "{" in text or "}" in text:
            raise self._unreadable("braces are written as {} or {:FORMAT}")
        return text

    def _bare(self, text: str, position: int) -> tuple[str, int]:
        match = _SLOT.match(text, position)
        if match is None:
            raise self._unreadable("braces are written as {} or {:FORMAT}")
        before, after = (text[max(position - 1, 0) : position], text[match.end() : match.end() + 1])
        if (before and re.match(r"[\w.)'\"}]", before)) or (after and _GLUE.match(after)):
            raise self._unreadable("{} is a number of its own: write 1e-3*{} for {}e-3, and int('0x{}', 16) for 0x{}")
        return self._slot(_number(self._format(match))), match.end()

    def _format(self, match: re.Match[str]) -> str:
        wanted = match["format"] or ""
        allowed = _FORMAT.fullmatch(wanted)
        numbers = [int(allowed[group] or 0) for group in ("width", "precision")] if allowed else []
        if not allowed or max(numbers) > MAX_FORMAT_WIDTH:
            raise self._unreadable(f"the format {wanted!r} is none, or wider than {MAX_FORMAT_WIDTH}")
        return wanted

    def _slot(self, value_of: Callable[[Any], Any]) -> str:
        name = f"raw_{len(self._slots)}_"
        self._slots[name] = value_of
        return name

    def _parsed(self, source: str) -> ast.expr:
        try:
            tree: ast.expr = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
            reason = err.msg if isinstance(err, SyntaxError) else str(err)
            raise self._unreadable(reason or "it is nested too deep") from err
        if _depth(tree) > MAX_DEPTH:
            raise self._unreadable("it is nested too deep")
        tree = _PlainMath().visit(tree)
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            self._check(node)
            if isinstance(node, ast.Name):
                self._check_name(node.id, id(node) in called)
        return tree

    def _check(self, node: ast.AST) -> None:
        if not isinstance(node, arithmetic.ALLOWED):
            raise self._unreadable("only numbers, comparisons and functions by name are allowed")
        if isinstance(node, ast.Constant) and type(node.value) not in (int, float, str, bool):
            raise self._unreadable(f"{node.value!r} is no number")
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
            raise self._unreadable("only functions can be called, by their name")
        if isinstance(node, ast.keyword) and node.arg is None:
            raise self._unreadable("** in a call is not allowed")

    def _check_name(self, name: str, is_called: bool) -> None:
        is_function = name in self._functions
        is_value = name in self._slots or name in arithmetic.CONSTANTS
        if is_called and is_value and not is_function:
            raise self._unreadable("a number is no function: a product is written with *")
        if is_function and not is_called and not is_value:
            raise self._unreadable(f"the function {name} needs its parentheses: {name}({{}})")
        if not (is_function or is_value):
            listed = ", ".join(sorted(set(self._functions) - set(arithmetic.functions()))) or "none"
            raise self._unreadable(f"unknown name {name!r}; the names are those of math, and of this class: {listed}")


def _constant(text: str) -> Callable[[Any], str]:
    return lambda raw: text


def _formatted(wanted: str) -> Callable[[Any], str]:
    def text_of(raw: Any) -> str:
        value = raw.strip() if isinstance(raw, str) else raw
        try:
            return format(value, wanted)
        except (ValueError, TypeError, OverflowError) as err:  # the last: a whole number that no float can hold
            raise DriplineValueError(f"{raw!r:.80} cannot be formatted with {wanted!r}: {err}") from err

    return text_of


def _number(wanted: str) -> Callable[[Any], int | float]:
    def value_of(raw: Any) -> int | float:
        number = number_of(raw)
        if number is not None and wanted:
            text = _formatted(wanted)(number)
            number = number_of(text)
            if number is None:
                raise DriplineValueError(f"the format {wanted!r} makes {text!r} of {raw!r:.80}, which is not a number")
        if number is None:
            raise DriplineValueError(f"the raw value {raw!r:.80} is not a number")
        return number

    return value_of


def _depth(tree: ast.AST) -> int:
    """Return how many nodes stand in one another, without recursion."""
    depth = 0
    level: list[ast.AST] = [tree]
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


class _PlainMath(ast.NodeTransformer):
    """Read `math.sqrt` as `sqrt`: a module is no value that an expression may hold."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "math":
            return ast.copy_location(ast.Name(id=node.attr, ctx=ast.Load()), node)
        return node

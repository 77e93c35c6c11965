"""How autodoc shows the docstrings of this project.

Rules:
1. What help() merges into a class from its bases is left out: the bases are shown themselves.
2. The keys of a class that a config file can name, and its signature, are left out, too: they have a page of their own.
3. An indented block below a line that ends in a colon is code, and so is what stands under `Example:`.
4. `OP_...`, the beginning of several names, is no link.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sphinx.application import Sphinx

from dragonfly.core.documentation import FURTHER_KEYS, KEYS, own_documentation
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.scheduler import Scheduler
from dragonfly.loader.catalogue import entries

# What is the beginning of several names.
_BEGINNING = re.compile(r"\b(\w+_\.\.\.)")


def has_keys(thing: Any) -> bool:
    """Tell whether a thing is a class that a config file can name, or one that gives such a class its keys."""
    if not isinstance(thing, type) or not issubclass(thing, Endpoint | Scheduler):
        return False
    return any(issubclass(entry.load(), thing) for entry in entries())


def shown(lines: Iterable[str], with_keys: bool = True) -> Iterator[str]:
    """Yield the lines of a docstring as reStructuredText wants them.

    Args:
        lines: of the docstring, without common blanks in front.
        with_keys: whether the sections of keys are wanted.
    """
    is_left_out = False
    written = [_BEGINNING.sub(r"``\1``", line) for line in lines]
    for number, line in enumerate(written):
        if line and not line.startswith(" "):
            is_left_out = not with_keys and line in (KEYS, FURTHER_KEYS)
        if is_left_out:
            continue
        if line == "Example:":
            yield from ["Example::", ""]
        else:
            yield f"{line}:" if line.endswith(":") and _is_code(line, written[number + 1 :]) else line


def _is_code(line: str, following: list[str]) -> bool:
    """Tell whether a blank line follows, and then what is indented more."""
    return len(following) > 1 and not following[0] and _indent(following[1]) > _indent(line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def rewrite(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Put the lines that are shown in the place of those that autodoc found."""
    if what == "class":
        lines[:] = inspect.cleandoc(own_documentation(thing) or "").splitlines()
    lines[:] = [*shown(lines, with_keys=not has_keys(thing)), ""]


def rewrite_property(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Undo what napoleon does to a property: it takes what stands before a colon for its type."""
    if what == "property":
        lines[:] = [*shown(inspect.cleandoc(thing.__doc__ or "").splitlines()), ""]


def signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, arguments: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Return the signature; of a class with keys, and of one that nobody calls, none."""
    return ("", "") if has_keys(thing) or getattr(thing, "_is_protocol", False) else (arguments, returned)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx what to call."""
    app.connect("autodoc-process-signature", signature)
    # Before napoleon reads the lines, at 500.
    app.connect("autodoc-process-docstring", rewrite, priority=400)
    app.connect("autodoc-process-docstring", rewrite_property, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Classes that a config file can name, as people read them: a line each, or one with all its keys."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dragonfly.core.documentation import documented_keys
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.provider import Provider
from dragonfly.core.service import Service
from dragonfly.loader.keys import keys_of
from dragonfly.loader.registry import LookupFailedError
from dragonfly.loader.source_file import MODULE_PATH_PACKAGE

if TYPE_CHECKING:
    from dragonfly.loader.catalogue import Entry

_WIDEST = 120
_INDENT = " " * 4
_TYPE = re.compile(r"\w+ \(([^)]*)\)")


def table(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a line for each class, below the name of its group."""
    listed = list(entries)
    width = max(len(entry.name) for entry in listed)
    group = ""
    for entry in listed:
        if entry.group != group:
            yield from [""] if group else []
            yield f"{entry.group}:"
            group = entry.group
        yield f"  {entry.name:{width}}  {_summary(entry)}"


def page(name: str, cls: type[Endpoint]) -> Iterator[str]:
    """Yield all that a person needs who writes a block of this class.

    Args:
        name: what `module:` calls it.
        cls: the class.
    """
    which = "" if name == cls.__name__ else f", which is the class {cls.__name__}"
    yield f"{name}{which} ({_file_of(cls)})"
    yield ""
    for line in (inspect.getdoc(cls) or "It has no documentation.").splitlines():
        yield from _wrapped(line)
    yield ""
    yield "In a config file (# can be left out):"
    yield from _example(name, cls)


def _summary(entry: Entry) -> str:
    if entry.other_name:  # the sentence of the class would name this very name as its other one
        return f"Another name of {entry.other_name}."
    try:
        documentation = inspect.getdoc(entry.load()) or ""
    except LookupFailedError as err:
        return f"({err})"
    return documentation.partition("\n")[0] or "(no documentation)"


def _example(name: str, cls: Any) -> Iterator[str]:
    keys, lines = keys_of(cls), documented_keys(cls)
    if issubclass(cls, Service):  # it is the first block of a file, and stands in no list
        begin = _INDENT
        yield f"{begin}name: my_service"
    else:
        begin = f"{_INDENT}  "
        yield f"{_INDENT}- name: my_{name.lower()}"
    yield f"{begin}module: {name}"
    if cls.__module__.startswith(MODULE_PATH_PACKAGE):
        yield f"{begin}module_path: {_file_of(cls)}"
    for key in keys.required:
        yield f"{begin}{key}: {_kind(lines.get(key, ''))}"
    for key in keys.accepted:
        if key not in keys.required:
            yield f"{begin}# {key}: {_kind(lines.get(key, ''))}"
    if issubclass(cls, Provider):
        yield f"{begin}# endpoints: <list of blocks>"


def _kind(line: str) -> str:
    """Return what stands for a value: the type by the line of the documentation."""
    found = _TYPE.match(line)
    return f"<{found[1]}>" if found else "<any>"


def _file_of(cls: type[Endpoint]) -> str:
    try:
        return inspect.getsourcefile(cls) or cls.__module__
    except (OSError, TypeError):
        return cls.__module__


def _wrapped(line: str) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line.strip(), _columns(), initial_indent=indent, subsequent_indent=f"{indent}{_INDENT}" if indent else ""
    ) or [""]


def _columns() -> int:
    return min(_WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDEST

"""What help() shows of a class that YAML can name: its own sentences, and the keys of all its ancestors.

Rules:
1. First come the class's own sentences, then `Keyword Args:`, `Further Keyword Args:`, and its own other sections.
2. The keys stand in the order of inheritance, each once and on one line; who is nearer to the class wins.
3. A key that a call of the class could not pass on to an ancestor is not listed.
4. Nothing is made up: a class without a docstring shows its keys and no sentence, and under `python -OO`, which drops
   all docstrings, there is nothing to show.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

KEYS = "Keyword Args:"
FURTHER_KEYS = "Further Keyword Args:"

_OWN = "_own_documentation"
_INDENT = " " * 4
_NAME = re.compile(r"\w+")

Class = TypeVar("Class", bound=type)


class _Parts(NamedTuple):
    """The docstring of one class: what stands before its keys, its keys by heading, and what follows them."""

    sentences: list[str]
    keys: dict[str, list[str]]
    rest: list[str]


def merge_documentation(cls: type) -> None:
    """Give a class the docstring that help() shall show; its own stays in reach of `own_documentation`."""
    own = own_documentation(cls)
    setattr(cls, _OWN, own)
    sentences, _, rest = _parts(own)
    merged = _merged_keys(cls)
    sections = [
        "\n".join([heading, *(_INDENT + line for line in merged[heading].values())])
        for heading in (KEYS, FURTHER_KEYS)
        if merged[heading]
    ]
    text = "\n\n".join(filter(None, ["\n".join(sentences).strip(), *sections, "\n".join(rest).strip()]))
    cls.__doc__ = text or None


def own_documentation(cls: type) -> str | None:
    """Return the docstring as the class itself was written; None where it has none."""
    own = vars(cls).get(_OWN, vars(cls).get("__doc__"))
    return None if own is None else str(own)


def documented_keys(cls: type) -> dict[str, str]:
    """Return the line of each key that a class or one of its ancestors documents, by the key's name."""
    merged = _merged_keys(cls)
    return {**merged[KEYS], **merged[FURTHER_KEYS]}


def classes_with_keys(cls: Any) -> Iterator[Any]:
    """Yield a class and those ancestors that its call can give keywords to, in the order of inheritance.

    Python's own call ends at an `__init__` that has no `**kwargs` to pass on, and so does this.
    """
    for ancestor in cls.__mro__[:-1]:
        yield ancestor
        init = vars(ancestor).get("__init__")
        if init is not None and not _passes_on(init):
            return


def fancy_doc(cls: Class) -> Class:
    """Return the class as it is: files of the first releases decorate with it what today needs no decorator."""
    return cls


def _passes_on(init: Any) -> bool:
    parameters = inspect.signature(init).parameters.values()
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


def _merged_keys(cls: type) -> dict[str, dict[str, str]]:
    merged: dict[str, dict[str, str]] = {KEYS: {}, FURTHER_KEYS: {}}
    seen: set[str] = set()
    for ancestor in classes_with_keys(cls):
        keys = _parts(own_documentation(ancestor)).keys
        lines = [(heading, line) for heading in merged for line in keys[heading]]
        for heading, line in lines:
            name = _name_of(line)
            if name not in seen:
                seen.add(name)
                merged[heading][name] = line
    return merged


def _name_of(line: str) -> str:
    match = _NAME.match(line)
    return match[0] if match else line


def _parts(text: str | None) -> _Parts:
    parts = _Parts([], {KEYS: [], FURTHER_KEYS: []}, [])
    heading = ""
    for line in inspect.cleandoc(text or "").splitlines():
        if line.rstrip() in parts.keys:
            heading = line.rstrip()
        elif heading and line.startswith(" "):
            _add_key_line(parts.keys[heading], line)
        elif line.strip() or not heading:
            heading = ""
            has_keys = any(parts.keys.values())
            (parts.rest if has_keys else parts.sentences).append(line)
    return parts


def _add_key_line(lines: list[str], line: str) -> None:
    """Add the line of a key, or join a line that goes on with the one before it."""
    is_new = not lines or len(line) - len(line.lstrip()) <= len(_INDENT)
    if is_new:
        lines.append(line.strip())
    else:
        lines[-1] += f" {line.strip()}"

"""What an endpoint is and can do, for people and programs that find it on the mesh.

It is read from the class: no instrument is asked, and no property is called.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from dragonfly.core import mesh_access
from dragonfly.core.calling import parameters_of

_Entries = dict[str, dict[str, Any]]
# A handler may take a variable away while this is read.
_GONE = object()


def attributes_of(endpoint: Any) -> _Entries:
    """Return for each attribute its type, whether it can be set, and what it is."""
    cls: Any = type(endpoint)
    entries = dict(_class_attributes(cls))
    variables = vars(endpoint)
    for name in sorted(mesh_access.attributes(endpoint) - entries.keys()):
        value = variables.get(name, _GONE)
        if value is not _GONE:
            entries[name] = _entry(value)
    return entries


def constant(endpoint: Any, name: str, configured: Any) -> Any:
    """Return the value of an attribute: what a class of one's own has in its place, or else what was configured.

    Args:
        endpoint: whose it is.
        name: of the attribute.
        configured: its value by the config file.
    """
    found = mesh_access.member(type(endpoint), name)
    return configured if isinstance(found, property) else getattr(endpoint, name)


@cache
def commands_of(cls: Any) -> _Entries:
    """Return for each command its arguments, and what it does."""
    return {
        name: {"arguments": parameters_of(getattr(cls, name)), "doc": _first_line(getattr(cls, name))}
        for name in sorted(mesh_access.commands(cls))
    }


@cache
def _class_attributes(cls: Any) -> _Entries:
    entries: _Entries = {}
    for name in sorted(mesh_access.class_attributes(cls)):
        found = mesh_access.member(cls, name)
        if not isinstance(found, property):
            entries[name] = _entry(found)
            continue
        kind = getattr(found.fget, "__annotations__", {}).get("return", inspect.Signature.empty)
        entries[name] = {"type": _type(kind), "settable": found.fset is not None, "doc": _first_line(found)}
    return entries


def _entry(value: Any) -> dict[str, Any]:
    return {"type": type(value).__name__, "settable": True, "doc": ""}


def _type(annotation: Any) -> str:
    if annotation is inspect.Signature.empty:
        return "Any"
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]

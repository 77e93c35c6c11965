"""What of an endpoint the mesh may touch.

Rules:
1. A name that begins with an underscore, a handler `on_...`, and what a class lists in `not_for_the_mesh` (its plumbing
   and identity) is refused: 306.
2. Any other public method is a command. Any other public property or variable is an attribute; it can be set unless it
   is a property without a setter. What a class puts in the place of an ancestor's member counts alone.
3. A name that does not exist is 304, with the nearest name that does. Nothing is ever created by a set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from types import FunctionType
from typing import Any

from dragonfly.core.exceptions import DriplineMethodNotSupportedError, DriplineValueError
from dragonfly.core.near_miss import did_you_mean

# So many names fit into a sentence.
_FEW = 8


def read(endpoint: Any, name: str) -> Any:
    """Return the value of an attribute of an endpoint.

    Raises:
        DriplineMethodNotSupportedError: it is not for the mesh, or cannot be read.
        DriplineValueError: there is none of that name, or it is a command.
    """
    _check_attribute(endpoint, name)
    descriptor = member(_class_of(endpoint), name)
    if isinstance(descriptor, property) and descriptor.fget is None:
        raise DriplineMethodNotSupportedError(f"{endpoint.name}.{name} can be set, not read")
    return getattr(endpoint, name)


def write(endpoint: Any, name: str, value: Any) -> None:
    """Set an attribute of an endpoint.

    Raises:
        DriplineMethodNotSupportedError: it is not for the mesh, or cannot be set.
        DriplineValueError: there is none of that name, it is a command, or the value is not acceptable.
    """
    _check_attribute(endpoint, name)
    descriptor = member(_class_of(endpoint), name)
    if isinstance(descriptor, property) and descriptor.fset is None:
        raise DriplineMethodNotSupportedError(f"{endpoint.name}.{name} can be read, not set")
    try:
        setattr(endpoint, name, value)
    except (ValueError, TypeError, OverflowError, DriplineValueError) as err:
        raise DriplineValueError(f"{endpoint.name}: {err}") from err


def command(endpoint: Any, name: str) -> Callable[..., Any]:
    """Return a command of an endpoint.

    Raises:
        DriplineMethodNotSupportedError: it is not for the mesh.
        DriplineValueError: there is none of that name, or it is an attribute.
    """
    _check_allowed(endpoint, name)
    if name in commands(_class_of(endpoint)):
        method: Callable[..., Any] = getattr(endpoint, name)
        return method
    if name in attributes(endpoint):
        raise DriplineValueError(f"{endpoint.name}.{name} is a value, no command: use get or set")
    raise _unknown(endpoint, name, "command", commands(_class_of(endpoint)))


def _check_attribute(endpoint: Any, name: str) -> None:
    _check_allowed(endpoint, name)
    if name in commands(_class_of(endpoint)):
        raise DriplineValueError(f"{endpoint.name}.{name} is a command, no value: use cmd")
    names = attributes(endpoint)
    if name not in names:
        raise _unknown(endpoint, name, "attribute", names)


def _check_allowed(endpoint: Any, name: str) -> None:
    if name.startswith(("_", "on_")) or name in _refused(_class_of(endpoint)):
        raise DriplineMethodNotSupportedError(f"{endpoint.name}.{name[:80]} is not for the mesh")


def _unknown(endpoint: Any, name: str, kind: str, names: frozenset[str]) -> DriplineValueError:
    few = f"it has {', '.join(sorted(names))}" if 0 < len(names) <= _FEW else ""
    hint = did_you_mean(name, names, few)
    return DriplineValueError(f"{endpoint.name}({type(endpoint).__name__}) has no <{name[:80]}> {kind}{hint}")


def attributes(endpoint: Any) -> frozenset[str]:
    """Return the names of all attributes of an endpoint."""
    # A copy, since a handler may add one meanwhile.
    variables = list(vars(endpoint).items())
    own = frozenset(name for name, value in variables if not (callable(value) or name.startswith("_")))
    return (own - _refused(_class_of(endpoint))) | class_attributes(_class_of(endpoint))


def _class_of(endpoint: object) -> Any:
    return type(endpoint)


@cache
def _refused(cls: Any) -> frozenset[str]:
    names: set[str] = {"not_for_the_mesh"}
    for ancestor in cls.__mro__:
        names.update(vars(ancestor).get("not_for_the_mesh", ()))
    return frozenset(names)


@cache
def class_attributes(cls: Any) -> frozenset[str]:
    """Return the names of the attributes that all endpoints of a class have."""
    names = (name for name, value in _members(cls).items() if not name.startswith("_") and _is_attribute(value))
    return frozenset(names) - _refused(cls)


@cache
def commands(cls: Any) -> frozenset[str]:
    """Return the names of the commands of a class."""
    methods = (FunctionType, staticmethod, classmethod)
    names = (name for name, value in _members(cls).items() if isinstance(value, methods))
    return frozenset(name for name in names if not name.startswith(("_", "on_"))) - _refused(cls)


def member(cls: Any, name: str) -> Any:
    """Return what a class has by a name, as it was written; None where it has nothing."""
    return _members(cls).get(name)


@cache
def _members(cls: Any) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for ancestor in reversed(cls.__mro__):
        if ancestor is not object:
            members.update(vars(ancestor))
    return members


def _is_attribute(value: Any) -> bool:
    if callable(value) or isinstance(value, (staticmethod, classmethod)):
        return False
    # What binds itself to the object, and cannot be set, is a method in disguise, such as a partialmethod.
    kind = type(value)
    return isinstance(value, cached_property) or not hasattr(kind, "__get__") or hasattr(kind, "__set__")

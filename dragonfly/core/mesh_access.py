"""What of an endpoint the mesh may touch.

Rules:
1. A name that begins with an underscore, a handler `on_...`, and what a class lists in `not_for_the_mesh` (its plumbing
   and identity) is refused: 306.
2. Any other public method is a command. Any other public property or variable is an attribute; it can be set unless it
   is a property without a setter.
3. A name that does not exist is 304, with the nearest name that does. Nothing is ever created by a set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from dragonfly.core.exceptions import DriplineMethodNotSupportedError, DriplineValueError
from dragonfly.core.near_miss import did_you_mean

# So many names fit into a sentence.
_FEW = 8


def read(endpoint: Any, name: str) -> Any:
    """Return the value of an attribute of an endpoint.

    Raises:
        DriplineMethodNotSupportedError: it is not for the mesh.
        DriplineValueError: there is none of that name, or it is a command.
    """
    _check_attribute(endpoint, name)
    return getattr(endpoint, name)


def write(endpoint: Any, name: str, value: Any) -> None:
    """Set an attribute of an endpoint.

    Raises:
        DriplineMethodNotSupportedError: it is not for the mesh, or cannot be set.
        DriplineValueError: there is none of that name, it is a command, or the value is not acceptable.
    """
    _check_attribute(endpoint, name)
    descriptor = getattr(type(endpoint), name, None)
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
    if name in _commands(_class_of(endpoint)):
        method: Callable[..., Any] = getattr(endpoint, name)
        return method
    if name in _attributes(endpoint):
        raise DriplineValueError(f"{endpoint.name}.{name} is a value, no command: use get or set")
    raise _unknown(endpoint, name, "command", _commands(_class_of(endpoint)))


def _check_attribute(endpoint: Any, name: str) -> None:
    _check_allowed(endpoint, name)
    if name in _commands(_class_of(endpoint)):
        raise DriplineValueError(f"{endpoint.name}.{name} is a command, no value: use cmd")
    names = _attributes(endpoint)
    if name not in names:
        raise _unknown(endpoint, name, "attribute", names)


def _check_allowed(endpoint: Any, name: str) -> None:
    if name.startswith(("_", "on_")) or name in _refused(_class_of(endpoint)):
        raise DriplineMethodNotSupportedError(f"{endpoint.name}.{name[:80]} is not for the mesh")


def _unknown(endpoint: Any, name: str, kind: str, names: frozenset[str]) -> DriplineValueError:
    few = f"it has {', '.join(sorted(names))}" if 0 < len(names) <= _FEW else ""
    hint = did_you_mean(name, names, few)
    return DriplineValueError(f"{endpoint.name}({type(endpoint).__name__}) has no <{name[:80]}> {kind}{hint}")


def _attributes(endpoint: Any) -> frozenset[str]:
    own = {name for name, value in vars(endpoint).items() if not callable(value)}
    names = own | _class_attributes(_class_of(endpoint))
    return frozenset(name for name in names if not name.startswith("_")) - _refused(_class_of(endpoint))


def _class_of(endpoint: object) -> Any:
    return type(endpoint)


@cache
def _refused(cls: Any) -> frozenset[str]:
    names: set[str] = {"not_for_the_mesh"}
    for ancestor in cls.__mro__:
        names.update(vars(ancestor).get("not_for_the_mesh", ()))
    return frozenset(names)


@cache
def _class_attributes(cls: Any) -> frozenset[str]:
    return frozenset(
        name
        for ancestor in cls.__mro__
        if ancestor is not object
        for name, value in vars(ancestor).items()
        if not (name.startswith("_") or callable(value) or isinstance(value, (staticmethod, classmethod)))
    )


@cache
def _commands(cls: Any) -> frozenset[str]:
    names = {
        name
        for ancestor in cls.__mro__
        if ancestor is not object
        for name, value in vars(ancestor).items()
        if isinstance(value, (FunctionType, staticmethod, classmethod))
    }
    return frozenset(name for name in names if not name.startswith(("_", "on_"))) - _refused(cls)

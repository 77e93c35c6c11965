"""Which classes a config file can name: ours, those of installed plug-ins, and those of its own module_path files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import yaml

from dragonfly import core, implementations
from dragonfly.core.endpoint import Endpoint
from dragonfly.loader.document import read_document
from dragonfly.loader.registry import PLUGIN_GROUP, LookupFailedError, Registry

__all__ = ["Entry", "LookupFailedError", "entries", "entries_of_file", "find", "reused_names"]

_IMPLEMENTATIONS, _CORE, _PLUGINS = "implementations", "core", "plug-ins"


class Entry(NamedTuple):
    """A class that a config file can name.

    Args:
        group: where it is from.
        name: what `module:` calls it.
        load: returns the class, or raises LookupFailedError.
        other_name: of the same class, which has a line of its own; "" where there is none.
    """

    group: str
    name: str
    load: Callable[[], type[Endpoint]]
    other_name: str = ""


def entries() -> list[Entry]:
    """Return all classes that need no module_path, in the order in which they are looked for."""
    taken = _own_names()
    plugins = dict.fromkeys(name for name, _ in _plugins() if name not in taken)
    return [
        *(Entry(_IMPLEMENTATIONS, name, partial(find, name)) for name in implementations.TABLE),
        *(Entry(_CORE, name, partial(find, name), other_name) for name, other_name in _core_names().items()),
        *(Entry(_PLUGINS, name, partial(find, name)) for name in plugins),
    ]


def entries_of_file(file: str) -> list[Entry]:
    """Return the classes that the blocks of a config file name with a module_path.

    Raises:
        ConfigError: the file cannot be read.
    """
    registry = Registry(Path(file).parent)
    pairs = dict.fromkeys(_named_with_path(read_document(file)))
    return [Entry(path, module, partial(_found, registry, module, path)) for module, path in pairs]


def find(name: str) -> type[Endpoint]:
    """Return the class of a name.

    Raises:
        LookupFailedError: there is none, or it cannot be loaded.
    """
    return _found(Registry(Path.cwd()), name, None)


def reused_names() -> list[str]:
    """Return a sentence for each name of an installed plug-in that is not its own."""
    offered: dict[str, list[str]] = {}
    for name, value in _plugins():
        offered.setdefault(name, []).append(value)
    sentences = []
    for name, values in offered.items():
        places = ", ".join(values)
        if name in _own_names():
            sentences.append(
                f"the plug-in {name} ({places}) has the name of a class of ours, and is never used: rename it"
            )
        elif len(values) > 1:
            sentences.append(f"several installed packages offer {name}: {places}; uninstall all but one")
    return sentences


def _found(registry: Registry, module: str, module_path: str | None) -> type[Endpoint]:
    found = registry.find(module, module_path)
    if found is None:
        raise LookupFailedError("module_path", f"the file {module_path} cannot be loaded")
    return found


def _own_names() -> frozenset[str]:
    return frozenset([*implementations.__all__, *core.__all__])


def _core_names() -> dict[str, str]:
    """Return the name of each class, and beside an older name that of the class itself."""
    things = {name: getattr(core, name) for name in core.__all__}
    classes = {name: thing for name, thing in things.items() if isinstance(thing, type) and issubclass(thing, Endpoint)}
    return {name: "" if name == cls.__name__ else cls.__name__ for name, cls in classes.items()}


def _plugins() -> list[tuple[str, str]]:
    """Return name and place of what installed packages offer."""
    from importlib.metadata import entry_points  # looking through all packages takes long

    return sorted({(entry.name, entry.value) for entry in entry_points(group=PLUGIN_GROUP)})


def _named_with_path(node: yaml.Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.MappingNode):
        texts = {key.value: value.value for key, value in node.value if isinstance(value, yaml.ScalarNode)}
        if "module" in texts and "module_path" in texts:
            yield texts["module"], texts["module_path"]
        for _, value in node.value:
            yield from _named_with_path(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _named_with_path(item)

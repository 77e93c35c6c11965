"""Nodes -> blocks, one per object, with its class and arguments: all is checked that needs no object."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.near_miss import did_you_mean, near_miss
from dragonfly.core.provider import Provider
from dragonfly.core.routing import check_name
from dragonfly.core.service import Service
from dragonfly.loader.keys import RESERVED, keys_of
from dragonfly.loader.old_form import NEW, OLD, Form, form_of, in_new_form
from dragonfly.loader.places import CALL_KEYS, calls_from
from dragonfly.loader.problem import Report
from dragonfly.loader.registry import LookupFailedError, Registry
from dragonfly.loader.values import BOOL, NULL, Entry, ValueReader, as_written, is_text, line_of

DEFAULT_SERVICE = "Spimescape"


@dataclass
class Block:
    """One block of the file.

    Args:
        cls: None where it was not found; such a block is never built.
        path: place in the tree.
        arguments: of the constructor, the name first.
        lines: of the keys, counted from 1.
        is_named: whether the name is a legal one; another block is never built.
        endpoint: the object, once it was made.
    """

    module: str
    cls: type[Endpoint] | None
    path: str
    line: int
    arguments: dict[str, Any]
    lines: dict[str, int]
    is_named: bool = True
    children: list["Block"] = field(default_factory=list)
    endpoint: Endpoint | None = None


@dataclass(frozen=True)
class _Place:
    """Where a block stands: what problems call it, its line, its keys, whether it is the first block, and its form."""

    path: str
    line: int
    entries: dict[Any, Entry]
    is_top: bool
    form: Form

    def line_of(self, key: str) -> int:
        return self.entries[key].line if key in self.entries else self.line


class TreeReader:
    """Reads the blocks of one file."""

    def __init__(self, report: Report, registry: Registry) -> None:
        self._report = report
        self._registry = registry
        self._values = ValueReader(report)
        self._names: dict[str, tuple[int, str]] = {}

    def read(self, root: yaml.MappingNode) -> Block | None:
        """Read the whole tree; None, with the problem reported, where even the first block cannot be read."""
        return self._block(root, label_of(root), is_top=True)

    def _block(self, node: yaml.MappingNode, path: str, is_top: bool = False) -> Block | None:
        with self._values.opened(node, path) as is_open:
            if not is_open:
                return None
            place = self._place(node, path, is_top)
            name = self._name(place)
            module, cls = self._class(place)
            arguments = {"name": name, **self._arguments(place)}
            self._check_keys(place, module, cls)
            lines = {key: entry.line for key, entry in place.entries.items()}
            block = Block(module, cls, path, place.line, arguments, lines, is_named=_is_legal(name))
            block.children = self._children(place, module, cls)
            return block

    def _place(self, node: yaml.MappingNode, path: str, is_top: bool) -> _Place:
        entries = {entry.key: entry for entry in self._values.entries(node, path)}
        form = form_of(entries) if is_top else NEW
        if form is OLD:
            entries = in_new_form(entries, path, self._report)
        return _Place(path, line_of(node), entries, is_top, form)

    def _name(self, place: _Place) -> str:
        entry = place.entries.get("name")
        if entry is None or _is_nothing(entry.node):
            hint = _misspelt(place.form.name, place.entries)
            self._report.add(place.line_of("name"), place.path, f"the {place.form.name} is missing{hint}")
            return ""
        name = self._text(entry, place.path, f"the {place.form.name}")
        if name is None:
            return ""
        try:
            check_name(name)
        except DriplineValueError as err:
            self._report.add(entry.line, place.path, str(err))
            return name
        if name in self._names:
            line, path = self._names[name]
            text = f"the name {name} is used twice, first in line {line} ({path})"
            self._report.add(entry.line, place.path, text)
        self._names.setdefault(name, (entry.line, place.path))
        return name

    def _text(self, entry: Entry, path: str, what: str) -> str | None:
        """Return the text of an entry; None, with the problem reported, where it is something else."""
        if is_text(entry.node):
            return str(entry.node.value)
        written = as_written(entry.node)
        how = f": put {written} in quotes" if isinstance(entry.node, yaml.ScalarNode) else f", not {written}"
        meaning = " (without them it is a truth value)" if entry.node.tag == BOOL else ""
        self._report.add(entry.line, path, f"{what} must be a text{how}{meaning}")
        return None

    def _class(self, place: _Place) -> tuple[str, type[Endpoint] | None]:
        """Return the name of a block's class, empty where it is missing, and the class, None if not found."""
        module = self._module(place)
        module_path = None
        if "module_path" in place.entries:
            module_path = self._text(place.entries["module_path"], place.path, "module_path")
            if module_path is None:
                return module, None
        if not module:
            return module, None
        try:
            cls = self._registry.find(module, module_path)
        except LookupFailedError as err:
            self._report.add(place.line_of(err.key), place.path, str(err))
            return module, None
        return module, self._check_level(place, module, cls)

    def _module(self, place: _Place) -> str:
        """Return the name of a block's class; empty, with the problem reported, where there is none."""
        entry = place.entries.get("module")
        if entry is None and place.is_top and "module_path" not in place.entries:
            return DEFAULT_SERVICE
        if entry is None or _is_nothing(entry.node):
            text = f"module, the class of this block, is missing{_misspelt('module', place.entries)}"
            self._report.add(place.line_of("module"), place.path, text)
            return ""
        return self._text(entry, place.path, "module") or ""

    def _check_level(self, place: _Place, module: str, cls: type[Endpoint] | None) -> type[Endpoint] | None:
        """Refuse a service below the first block, and anything else as the first."""
        if cls is None or issubclass(cls, Service) == place.is_top:
            return cls
        text = f"{module} is a service, which only the first block of a file can be"
        if place.is_top:
            text = f"{module} is no service: the first block needs {DEFAULT_SERVICE} or another service"
        self._report.add(place.line_of("module"), place.path, text)
        return None

    def _arguments(self, place: _Place) -> dict[str, Any]:
        arguments = {
            key: self._values.value(entry.node, place.path)
            for key, entry in place.entries.items()
            if key not in RESERVED
        }
        for key in arguments.keys() & set(CALL_KEYS):
            arguments[key] = calls_from(arguments[key], place.entries[key].node, place.path, self._report)
        return arguments

    def _check_keys(self, place: _Place, module: str, cls: type | None) -> None:
        if cls is None:
            return
        keys = keys_of(cls)
        for key, entry in place.entries.items():
            if key in keys.accepted or key in RESERVED:
                continue
            listed = "its keys are " + ", ".join([place.form.name, *keys.accepted])
            reserved = OLD if place.form is OLD else RESERVED
            hint = did_you_mean(str(key), [*keys.accepted, *reserved], listed)
            self._report.add(entry.line, place.path, f"{module} has no key {key!r}{hint}")
        for key in keys.required:
            if key not in place.entries:
                hint = _misspelt(key, place.entries)
                self._report.add(place.line, place.path, f"the key {key} is missing, {module} needs it{hint}")

    def _children(self, place: _Place, module: str, cls: type[Endpoint] | None) -> list[Block]:
        entry = place.entries.get("endpoints")
        if entry is None:
            return []
        if cls is not None and not issubclass(cls, Provider):
            text = f"{module} cannot have endpoints, because it is no Provider"
            self._report.add(entry.line, place.path, text)
        if not isinstance(entry.node, yaml.SequenceNode):
            found = "nothing" if _is_nothing(entry.node) else as_written(entry.node)
            text = f"must be a list of blocks, each of which begins with `- name: `; found {found}"
            self._report.add(entry.line, place.path, f"{place.form.endpoints} {text}")
            return []
        with self._values.opened(entry.node, place.path) as is_open:
            nodes = enumerate(entry.node.value, 1) if is_open else ()
            blocks = [self._child(node, place.path, number) for number, node in nodes]
        return [block for block in blocks if block is not None]

    def _child(self, node: yaml.Node, parent: str, number: int) -> Block | None:
        path = f"{parent} > {label_of(node, f'endpoint {number}')}"
        if isinstance(node, yaml.MappingNode):
            return self._block(node, path)
        text = f"expected a block that begins with `- name: `, found {as_written(node) or 'nothing'}"
        self._report.add(line_of(node), path, text)
        return None


def _misspelt(key: str, given: Iterable[Any]) -> str:
    """Return the end of a sentence about a missing key: the given key that may be a misspelling of it."""
    others = [str(other) for other in given if other not in RESERVED]
    match = near_miss(key, others)
    return f"; is {match} a misspelling of it?" if match else ""


def _is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and (node.tag == NULL or not node.value)


def label_of(node: yaml.Node, otherwise: str = "service") -> str:
    """Return what a block is called in problems: its name as the file spells it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in (NEW.name, OLD.name) and isinstance(value, yaml.ScalarNode) and value.value:
                return as_written(value)
    return otherwise


def _is_legal(name: str) -> bool:
    try:
        check_name(name)
    except DriplineValueError:
        return False
    return True

"""Nodes -> values, by the rules of YAML 1.1 (PyYAML), minus its surprises.

Rules:
1. What YAML reads otherwise than a person means is an error that says how to write it: 1:30 (base 60), 010
   (base 8), a key that is a truth value (on, off, yes, no).
2. A date stays the text that was written: no message could carry it as anything else.
3. Only plain values are made; a tag such as !!python/object is refused.
4. An alias gives a copy, so two endpoints never share a list; a value that contains itself, or aliases that
   multiply beyond MAX_VALUES, are errors.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml
from yaml.constructor import SafeConstructor

from dragonfly.loader.document import MAX_DEPTH
from dragonfly.loader.problem import Report

MAX_VALUES = 1_000_000

_PREFIX = "tag:yaml.org,2002:"
_TEXT, BOOL, NULL, _MERGE = (_PREFIX + kind for kind in ("str", "bool", "null", "merge"))
_INTEGER, _NUMBER, _LIST, _MAPPING = (_PREFIX + kind for kind in ("int", "float", "seq", "map"))
# A date, and the single characters `=` and `<<`, are the text that was written.
_TEXTS = frozenset({_TEXT, _MERGE, _PREFIX + "timestamp", _PREFIX + "value"})
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")

_SAFE = SafeConstructor()
_CONVERT: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    BOOL: _SAFE.construct_yaml_bool,
    NULL: lambda node: None,
    _INTEGER: _SAFE.construct_yaml_int,
    _NUMBER: _SAFE.construct_yaml_float,
}


class Entry(NamedTuple):
    """One key of a block, the line it stands in (counted from 1), and the node of its value."""

    key: Any
    line: int
    node: yaml.Node


def line_of(node: yaml.Node) -> int:
    """Return the line, counted from 1, in which a node begins."""
    return int(node.start_mark.line) + 1


def is_text(node: yaml.Node) -> bool:
    """Tell whether a node is a text."""
    return isinstance(node, yaml.ScalarNode) and node.tag in _TEXTS


def as_written(node: yaml.Node) -> str:
    """Return a short text for a node, as the file spells it where it is a single value."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)[:40]
    return "a list" if isinstance(node, yaml.SequenceNode) else "a block"


class ValueReader:
    """Makes values of one file and notes what is wrong with them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node, path: str) -> Any:
        """Return the value of a node; what is wrong with it is reported, with None in its place."""
        if is_text(node):
            return node.value
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        with self.opened(node, path) as is_open:
            if not is_open:
                return None
            if isinstance(node, yaml.MappingNode):
                values = {entry.key: self.value(entry.node, path) for entry in self.entries(node, path)}
                # Nothing left of it is not an empty block: what was wrong with its keys is told already.
                return values if values or not node.value else None
            return [self.value(item, path) for item in node.value]

    @contextmanager
    def opened(self, node: yaml.Node, path: str) -> Iterator[bool]:
        """Go into a list or a block; give False, with the reason reported, where it must not be read."""
        problem = self._hindrance(node)
        if problem is not None:
            if problem:
                self._report.add(line_of(node), path, problem)
            yield False
            return
        self._open.add(id(node))
        try:
            yield True
        finally:
            self._open.discard(id(node))

    def _hindrance(self, node: yaml.Node) -> str | None:
        """Tell why a list or a block is not read: None where it is, an empty text if told before."""
        if node.tag != (_MAPPING if isinstance(node, yaml.MappingNode) else _LIST):
            return _refusal(node)
        if id(node) in self._open:
            return "the value that begins here contains itself through an alias (*)"
        if len(self._open) > MAX_DEPTH:
            return "the aliases (*) nest too deeply"
        if self._count > MAX_VALUES:
            return ""
        self._count += 1 + len(node.value)
        if self._count > MAX_VALUES:
            return f"the aliases (*) multiply to more than {MAX_VALUES:,} values"
        return None

    def entries(self, node: yaml.MappingNode, path: str) -> list[Entry]:
        """Return the keys of an opened block in the file's order, each once; merged ones (`<<`) come last."""
        own: dict[Any, Entry] = {}
        merged: list[Entry] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += self._merged(value_node, path)
                continue
            entry = Entry(self._key(key_node, path), line_of(key_node), value_node)
            first = own.setdefault(entry.key, entry)
            if first is not entry and entry.key is not None:
                text = f"the key {entry.key!r} stands twice in this block, first in line {first.line}"
                self._report.add(entry.line, path, text)
        own.pop(None, None)
        for entry in merged:
            own.setdefault(entry.key, entry)
        return list(own.values())

    def _merged(self, node: yaml.Node, path: str) -> list[Entry]:
        """Return the keys of the block, or the list of blocks, that stands after `<<:`."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        entries: list[Entry] = []
        for block in nodes:
            if not isinstance(block, yaml.MappingNode):
                self._report.add(line_of(node), path, "<<: needs a block, or a list of blocks, to take keys from")
                continue
            with self.opened(block, path) as is_open:
                entries += self.entries(block, path) if is_open else []
        return entries

    def _key(self, node: yaml.Node, path: str) -> Any:
        """Return a key, None where it cannot be one."""
        if node.tag in (BOOL, NULL):
            meaning = "a truth value" if node.tag == BOOL else "nothing"
            text = f"YAML reads the key {as_written(node)} as {meaning}: put it in quotes"
            self._report.add(line_of(node), path, text)
            return None
        if not isinstance(node, yaml.ScalarNode):
            self._report.add(line_of(node), path, "a key must be a text or a number, not a list or a block")
            return None
        return self.value(node, path)

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        convert = _CONVERT.get(node.tag)
        if convert is None:
            self._report.add(line_of(node), path, _refusal(node))
            return None
        try:
            value = convert(node)
            str(value)  # Python writes no number of thousands of digits, which base 8 or 16 can have
        except (ValueError, LookupError):
            kind = node.tag.removeprefix(_PREFIX)
            self._report.add(line_of(node), path, f"{as_written(node)!r} cannot be read as {kind}")
            return None
        if node.tag in (_INTEGER, _NUMBER):
            self._check_base(node, value, path)
        return value

    def _check_base(self, node: yaml.ScalarNode, value: float, path: str) -> None:
        written = node.value
        if ":" in written:
            base, plain = 60, value
        elif node.tag == _INTEGER and _LEADING_ZERO.fullmatch(written):
            base, plain = 8, int(written.replace("_", ""))
        else:
            return
        text = f"YAML reads {written} in base {base}, as {value}: write {plain}, or '{written}' for the text"
        self._report.add(line_of(node), path, text)


def _refusal(node: yaml.Node) -> str:
    tag = node.tag.replace(_PREFIX, "!!")
    return f"the tag {tag} is refused: only texts, numbers, truth values, lists and blocks are read"

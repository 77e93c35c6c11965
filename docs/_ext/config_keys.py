"""The directives `config-keys` and `config-classes`: what a config file can give to a class, read from the classes.

Rules:
1. A key stands in the table of each class that takes it, with the class that declares it: its own keys come first.
2. Type, unit and meaning are those of the line in the documentation, the default is that of the constructor.
3. A key that no documentation has, or a number without a unit, makes the build fail.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from from_the_program import FromTheProgram, heading, table
from sphinx.application import Sphinx

from dragonfly import implementations
from dragonfly.core import data_logger, scheduler
from dragonfly.core.documentation import classes_with_keys, documented_keys, own_documentation
from dragonfly.loader.catalogue import Entry, entries, find
from dragonfly.loader.keys import RESERVED, keys_of

_LINE = re.compile(r"\w+ \((?P<kind>[^)]*)\): (?P<meaning>.+)", re.DOTALL)
_NUMBERS = {"int", "float"}
# What the line of a number says, and the unit that it means; the first that fits counts.
_UNITS = {
    r"own unit": "the value's",
    r"in which it is set": "the set value's",
    r"\bseconds\b": "s",
    r"\bbytes\b": "bytes",
    r"\bfraction\b": "fraction",
    r"\bcount\b": "count",
}
_WIDTHS = [20, 9, 8, 10, 41, 12]
_HEAD = ["key", "type", "unit", "default", "meaning", "declared by"]
# Classes that no file names, but whose keys those have that derive from them.
_BASES = {cls.__name__: cls for cls in (data_logger.DataLogger, scheduler.Scheduler)}
_REQUIRED = "required"


class Key(NamedTuple):
    """A key of a class; what is unknown or does not apply is an empty text."""

    name: str
    kind: str
    unit: str
    default: str
    meaning: str
    declared_by: str


def class_named(name: str) -> Any:
    """Return the class that `module: NAME` means, or a base of such."""
    return _BASES[name] if name in _BASES else find(name)


def keys_table(cls: Any) -> list[Key]:
    """Return the keys of a class, its own first.

    Raises:
        ValueError: the documentation of one is missing, or does not say what was expected.
    """
    documented = documented_keys(cls)
    reserved = [name for name in RESERVED if name in documented]
    names = dict.fromkeys([*reserved, *keys_of(cls).accepted, *documented])
    order = list(classes_with_keys(cls))
    return sorted((_key(cls, name) for name in names), key=lambda key: order.index(_declaring(cls, key.name)))


def own_sentences(cls: Any) -> str:
    """Return what the documentation of a class says before its keys, its first paragraph."""
    return inspect.cleandoc(own_documentation(cls) or "").partition("\n\n")[0].replace("\n", " ")


def _declaring(cls: Any, name: str) -> Any:
    """Return the class that takes a key, or documents it where no constructor does."""
    ancestors = list(classes_with_keys(cls))
    takes = (each for each in ancestors if _parameter(each, name) is not None)
    return next(takes, None) or next(each for each in ancestors if f"{name} (" in str(own_documentation(each)))


def _key(cls: Any, name: str) -> Key:
    line = documented_keys(cls).get(name, "")
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"{cls.__name__}: `{name} (type): meaning` was expected in the documentation, not {line!r}")
    declaring = _declaring(cls, name)
    kind = found["kind"].replace("||", " or ")
    unit = next((unit for words, unit in _UNITS.items() if re.search(words, found["meaning"])), "")
    if kind in _NUMBERS and not unit:
        raise ValueError(f"{cls.__name__}: the line of {name} does not say its unit: {line}")
    is_number = kind in _NUMBERS or unit.startswith("the ")
    return Key(name, kind, unit if is_number else "", _default(declaring, name), found["meaning"], declaring.__name__)


def _parameter(cls: Any, name: str) -> inspect.Parameter | None:
    """Return what the constructor of a class itself has for a key."""
    init = vars(cls).get("__init__")
    return None if init is None else inspect.signature(init).parameters.get(name)


def _default(declaring: Any, name: str) -> str:
    """Return the default as a config file would write it."""
    parameter = _parameter(declaring, name)
    if parameter is None:
        return ""
    value = parameter.default
    if value is inspect.Parameter.empty:
        return _REQUIRED
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rows(cls: Any) -> Iterator[list[str]]:
    for key in keys_table(cls):
        default = f"``{key.default}``" if key.default and key.default != _REQUIRED else key.default
        where = "" if key.declared_by == cls.__name__ else key.declared_by
        # `*`, `|` and quoted marks mean something in reStructuredText; here they are themselves.
        meaning = re.sub(r"([*|\\])", r"\\\1", key.meaning)
        yield [f"``{key.name}``", key.kind, key.unit, default, meaning, where or "itself"]


def _what(entry: Entry) -> tuple[str, str]:
    """Return a name with a link to its keys, and a sentence."""
    if entry.other_name:
        return f":ref:`{entry.name} <keys-{entry.other_name}>`", f"another name of ``{entry.other_name}``"
    return f":ref:`{entry.name} <keys-{entry.name}>`", own_sentences(entry.load())


class ConfigKeys(FromTheProgram):
    """Print the keys of a class."""

    required_arguments = 1

    def text(self) -> Iterable[str]:
        """Return the table."""
        return table(_WIDTHS, _HEAD, _rows(class_named(self.arguments[0])))


class ConfigClasses(FromTheProgram):
    """Print a section for each class among the implementations."""

    def text(self) -> Iterator[str]:
        """Yield the sections."""
        for name in implementations.TABLE:
            cls = class_named(name)
            library = implementations.TABLE[name].library
            yield from heading(name, "^", f"keys-{name}")
            yield own_sentences(cls) + (f" It needs the library ``{library}``." if library else "")
            yield from table(_WIDTHS, _HEAD, _rows(cls))


class ClassNames(FromTheProgram):
    """Print which names a config file can give to `module` without a module_path."""

    def text(self) -> Iterable[str]:
        """Return the table, without the plug-ins that happen to be installed where the pages are built."""
        rows = [_what(entry) for entry in entries() if entry.group != "plug-ins"]
        return table([25, 75], ["module", "what it is"], rows)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directives."""
    app.add_directive("config-keys", ConfigKeys)
    app.add_directive("config-classes", ConfigClasses)
    app.add_directive("config-names", ClassNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

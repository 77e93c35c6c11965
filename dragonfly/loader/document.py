"""One YAML file -> its tree of nodes, each of which knows its line.

Values are made from the nodes in values.py; here only the file and its grammar can be wrong.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import dragonfly
from dragonfly.core.near_miss import near_miss
from dragonfly.loader.problem import ConfigError, Problem
from dragonfly.loader.syntax import explain

# Trees of nodes are walked recursively, in libyaml as well, which ends the process where its stack ends.
MAX_DEPTH = 100

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TooDeepError(yaml.MarkedYAMLError):
    """The nodes are nested deeper than any config file needs."""


class _NodeLoader(_SafeLoader):  # type: ignore[misc]
    """Composes nodes and counts how deep it is; both parsers call these two methods around every node."""

    _depth = 0

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = None if parent is None else parent.start_mark
            raise TooDeepError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


def read_document(file: str | Path) -> yaml.MappingNode:
    """Read a file that holds one mapping.

    Raises:
        ConfigError: it cannot be read, is no YAML, is empty or holds something else.
    """
    text = _read_text(Path(file), str(file))
    try:
        with collector_paused():
            node = yaml.compose(text, Loader=_NodeLoader)
    except yaml.YAMLError as err:
        line, sentence = explain(err, text)
        raise ConfigError([Problem(str(file), line, "", sentence)]) from err
    if node is None:
        raise ConfigError([Problem(str(file), None, "", "the file is empty; it must begin with `name: ...`")])
    if not isinstance(node, yaml.MappingNode):
        sentence = "expected lines such as `name: my_store`: a key, a colon, a blank and a value"
        raise ConfigError([Problem(str(file), node.start_mark.line + 1, "", sentence)])
    return node


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector out: of a large file it took two thirds of the time, and found nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_text(path: Path, shown: str) -> str:
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except FileNotFoundError as err:
        raise ConfigError([Problem(shown, None, "", f"there is no such file{_similar_file(path)}")]) from err
    except IsADirectoryError as err:
        raise ConfigError([Problem(shown, None, "", "this is a directory, not a YAML file")]) from err
    except OSError as err:
        raise ConfigError([Problem(shown, None, "", f"the file cannot be read: {err.strerror}")]) from err
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        sentence = f"the byte 0x{data[err.start]:02x} is no UTF-8 text; save the file in the encoding UTF-8"
        raise ConfigError([Problem(shown, line, "", sentence)]) from err


def _similar_file(path: Path) -> str:
    """Look for a file of nearly this name beside it and among the examples."""
    checkout = Path(dragonfly.__file__).parent.parent
    found: dict[str, Path] = {}
    for folder in (path.parent, Path("examples"), checkout / "examples"):
        if not folder.is_dir():
            continue
        for candidate in sorted(folder.glob("*.y*ml")):
            found.setdefault(candidate.stem, candidate)
    # Without the endings, which all of them share: they alone make any two names look alike.
    match = near_miss(path.stem, found)
    return f"; did you mean {found[match]}?" if match else ""

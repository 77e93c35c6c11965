"""Code that is not ours: the file of a `module_path`, or an installed plug-in.

Whatever it does wrong is one sentence.
"""

import hashlib
import os
import re
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

# Below the package, so that what such a module's logger says is shown like everything else.
MODULE_PATH_PACKAGE = "dragonfly.module_path"
NEW_IMPORT = "dripline is part of dragonfly now: write `from dragonfly.core import ...` in place of its import"


class SourceFileError(Exception):
    """A Python file or a plug-in cannot be used; the text is one sentence without its name."""


class EntryPoint(Protocol):
    """What an installed package says it offers."""

    def load(self) -> Any:
        """Import it and return it."""


def load_source(path: Path) -> ModuleType:
    """Load a Python file once per process, as a module of a name that belongs to this path alone.

    The module stands in `sys.modules`, so its classes can be pickled.

    Raises:
        SourceFileError: the file cannot be read, or raises while it is loaded.
    """
    try:
        path = Path(os.path.realpath(path))
    except ValueError as err:
        raise SourceFileError(f"cannot be read: {err}") from err
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    if spec is None:
        raise SourceFileError("cannot be loaded as a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        _guarded(lambda: loader.exec_module(module), str(path))
    except SourceFileError:
        del sys.modules[name]
        raise
    return module


def load_plugin(entry: EntryPoint) -> Any:
    """Load what an installed package offers.

    Raises:
        SourceFileError: it raises while it is loaded, or is not there.
    """
    return _guarded(entry.load)


def _guarded(load: Callable[[], Any], path: str = "") -> Any:
    try:
        return load()
    # Whatever a person's own code does wrong is a problem of the config file, the sys.exit() of a script too.
    except (Exception, SystemExit) as err:
        raise SourceFileError(_reason(err, path)) from err


def _module_name(path: Path) -> str:
    stem = re.sub(r"\W", "_", path.stem)
    return f"{MODULE_PATH_PACKAGE}.{stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def _reason(error: BaseException, path: str) -> str:
    """Tell in one sentence what stopped the code; of a plug-in there is no path."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "dripline":
        return f"cannot be loaded: {NEW_IMPORT}"
    if isinstance(error, SyntaxError) and path and error.filename == path:
        return f"is no valid Python: {error.msg} in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if path and not lines and isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    where = f" in line {lines[-1]}" if lines else ""
    return f"fails while it is loaded{where}: {type(error).__name__}: {error}"

"""Classes of a user's own Python file: the `module_path` of a config file."""

import hashlib
import os
import re
import sys
import traceback
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

NEW_IMPORT = "dripline is part of dragonfly now: write `from dragonfly.core import ...` in place of its import"


class SourceFileError(Exception):
    """A Python file cannot be used; the text is one sentence without the file's name."""


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
        loader.exec_module(module)
    # Whatever a person's own file does wrong is a problem of the config file, the sys.exit() of a script too.
    except (Exception, SystemExit) as err:
        del sys.modules[name]
        raise SourceFileError(_reason(err, path)) from err
    return module


def _module_name(path: Path) -> str:
    # Below this package, so that what its logger says is shown like everything else.
    stem = re.sub(r"\W", "_", path.stem)
    return f"dragonfly.module_path.{stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def _reason(error: BaseException, path: Path) -> str:
    """Tell in one sentence what stopped the file."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "dripline":
        return f"cannot be loaded: {NEW_IMPORT}"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"is no valid Python: {error.msg} in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if not lines and isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    where = f" in line {lines[-1]}" if lines else ""
    return f"fails while it is loaded{where}: {type(error).__name__}: {error}"

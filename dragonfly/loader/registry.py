"""Class name -> class: the file of `module_path`, then implementations, then core, then plug-ins.

A `module_path` answers alone: a block that names a file wants the class of that file.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dragonfly import core, implementations
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.near_miss import did_you_mean
from dragonfly.loader.source_file import NEW_IMPORT, SourceFileError, load_plugin, load_source

PLUGIN_GROUP = "dragonfly.implementations"


class LookupFailedError(Exception):
    """There is no such class; the text is one sentence.

    Args:
        key: the key that is at fault, `module` or `module_path`.
    """

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


class Registry:
    """Looks up the classes of one config file.

    Args:
        folder: where the config file lies; a relative `module_path` begins there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[tuple[str, str | None], type[Endpoint] | LookupFailedError] = {}
        self._broken: set[str] = set()

    def find(self, module: str, module_path: str | None = None) -> type[Endpoint] | None:
        """Return the class of a block; None where its file is broken and that was told before.

        Raises:
            LookupFailedError: there is no such class, or it is no Endpoint.
        """
        if module_path in self._broken:
            return None
        key = (module, module_path)
        if key not in self._found:
            self._found[key] = self._look_up(module, module_path)
        found = self._found[key]
        if isinstance(found, LookupFailedError):
            raise found
        return found

    def _look_up(self, module: str, module_path: str | None) -> "type[Endpoint] | LookupFailedError":
        try:
            thing = _known(module) if module_path is None else self._from_file(module, module_path)
            return _check_endpoint(module, thing)
        except LookupFailedError as err:
            return err

    def _from_file(self, module: str, module_path: str) -> Any:
        path = self._folder / os.path.expanduser(module_path)
        try:
            source = load_source(path)
        except SourceFileError as err:
            self._broken.add(module_path)
            hint = "" if os.path.exists(path) else did_you_mean(path.name, _python_files(path.parent))
            raise LookupFailedError("module_path", f"the file {module_path} {err}{hint}") from err
        if not hasattr(source, module):
            own = [name for name in _endpoint_classes(vars(source)) if name not in core.__all__]
            hint = did_you_mean(module, own, f"it has {', '.join(own) or 'no class that derives from Endpoint'}")
            raise LookupFailedError("module", f"the file {module_path} has no class {module}{hint}")
        return getattr(source, module)


def _known(module: str) -> Any:
    if module in implementations.__all__:
        try:
            return getattr(implementations, module)
        except ImportError as err:
            raise LookupFailedError("module", str(err)) from err
    if module in core.__all__:
        thing = getattr(core, module)
        if isinstance(thing, type):
            return thing
    plugin = _plugin(module)
    if plugin is not None:
        return plugin
    hint = did_you_mean(module, _known_names(), "classes of your own need a module_path")
    raise LookupFailedError("module", f"there is no module {module}{hint}")


def _plugin(module: str) -> Any:
    """Return what an installed package offers under this name, None where none does."""
    # Imported here because looking through all installed packages takes longer than everything else.
    from importlib.metadata import entry_points

    offered = {entry.value: entry for entry in entry_points(group=PLUGIN_GROUP, name=module)}
    if len(offered) > 1:
        text = f"several installed packages offer {module}: {', '.join(sorted(offered))}; uninstall all but one"
        raise LookupFailedError("module", text)
    for value, entry in offered.items():
        try:
            return load_plugin(entry)
        except SourceFileError as err:
            raise LookupFailedError("module", f"the plug-in {module} ({value}) {err}") from err
    return None


def _check_endpoint(module: str, thing: Any) -> type[Endpoint]:
    if isinstance(thing, type) and issubclass(thing, Endpoint):
        return thing
    text = f"{module} is no Endpoint: a block needs a class that derives from one"
    if isinstance(thing, type) and any(base.__module__.startswith("dripline") for base in thing.__mro__):
        text = f"{module} is no Endpoint of dragonfly: {NEW_IMPORT}"
    raise LookupFailedError("module", text)


def _known_names() -> list[str]:
    """Return the names that `module` may have without a `module_path`; plug-ins aside."""
    classes = {name: getattr(core, name) for name in core.__all__}
    # Without the aliases: who mistyped shall learn the name that the pages use.
    names = [name for name in implementations.__all__ if name not in implementations.ALIASES]
    return [*names, *_endpoint_classes(classes)]


def _endpoint_classes(things: Mapping[str, Any]) -> list[str]:
    return [name for name, thing in things.items() if isinstance(thing, type) and issubclass(thing, Endpoint)]


def _python_files(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*.py")] if folder.is_dir() else []

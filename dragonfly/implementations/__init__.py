"""Devices and jobs that a config file can name.

`TABLE` says which file holds a class and which library that class needs. A file is imported when its class is
first used (PEP 562), so a laboratory installs only the libraries of its own instruments.
"""

import importlib
from typing import Any, NamedTuple


class Implementation(NamedTuple):
    """Where a YAML name leads.

    Args:
        file: in this folder, without `.py`.
        class_name: of the class in that file.
        library: what `pip install` gets for it; None where dragonfly's own requirements are enough.
    """

    file: str
    class_name: str
    library: str | None


TABLE = {
    "kv_store": Implementation("key_value_store", "kv_store", None),
    "kv_store_key": Implementation("key_value_store", "kv_store_key", None),
}
# Older spellings of names in TABLE.
ALIASES = {
    "KVStore": "kv_store",
    "KVStoreKey": "kv_store_key",
}

__all__ = [*TABLE, *ALIASES]


def __getattr__(name: str) -> Any:
    entry = TABLE.get(ALIASES.get(name, name))
    if entry is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        file = importlib.import_module(f"{__name__}.{entry.file}")
    except ModuleNotFoundError as err:
        if entry.library is None or (err.name or "").startswith("dragonfly"):
            raise
        raise ImportError(f"{name} needs {entry.library}: pip install {entry.library}", name=err.name) from err
    value = getattr(file, entry.class_name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

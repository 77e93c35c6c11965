"""Slow control for laboratories on an AMQP message mesh."""

import importlib
from types import ModuleType

__version__ = "0.1.0"

_ROOMS = ("core", "implementations")


def __getattr__(name: str) -> ModuleType:
    """Import a room when it is first used, so that `import dragonfly` costs nothing (PEP 562)."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])

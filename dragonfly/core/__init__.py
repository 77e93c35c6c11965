"""What a mesh is: messages, endpoints and the wire that joins them.

The names below are loaded when they are first used (PEP 562): a client that sends one request loads neither the
calibrations nor the service.
"""

import importlib
from typing import Any

_WHERE = {
    "Endpoint": "endpoint",
    "Provider": "provider",
    "Scheduler": "scheduler",
    "DataLogger": "data_logger",
    "Spime": "spime",
    "Service": "service",
    "AlertConsumer": "alert_consumer",
    "Interface": "interface",
    "calibrate": "calibration",
    "fancy_doc": "documentation",
    "Message": "message",
    "RequestMessage": "message",
    "ReplyMessage": "message",
    "AlertMessage": "message",
    "InfoMessage": "message",
}
# The names of the tutorial's era that mean the same thing today.
_ALIASES = {"Spimescape": "Service", "Gogol": "AlertConsumer"}
_MODULES = ("constants", "exceptions")

__all__ = [*_WHERE, *_ALIASES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    public = _ALIASES.get(name, name)
    if public not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[public]}"), public)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

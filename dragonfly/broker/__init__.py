"""An AMQP 0-9-1 broker in pure Python, for one machine: the tutorial, development and tests."""

from typing import Any

__all__ = ["Broker"]


def __getattr__(name: str) -> Any:
    # Loaded when it is first used (PEP 562): who only asks for an address needs no sockets.
    if name != "Broker":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dragonfly.broker.server import Broker

    globals()[name] = Broker
    return Broker

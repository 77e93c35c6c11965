"""The further arguments of declarations, and whether a second declaration says the same as the first.

What RabbitMQ does not know it accepts, and so does this broker; what RabbitMQ knows and this broker lacks is refused.
"""

from __future__ import annotations

from typing import Any

from pika.compat import long

from dragonfly.broker.errors import Code, ProtocolError, not_offered, placed

MAX_LENGTH, _OVERFLOW = "x-max-length", "x-overflow"
_DROP_HEAD = "drop-head"
# What is known of the values that RabbitMQ takes: those that mean what this broker does anyway.
_QUEUE_ARGUMENTS: dict[str, tuple[str, ...]] = {
    _OVERFLOW: (_DROP_HEAD,),
    "x-queue-type": ("classic",),
    "x-queue-mode": ("default",),
    "x-message-ttl": (),
    "x-expires": (),
    "x-dead-letter-exchange": (),
    "x-dead-letter-routing-key": (),
    "x-dead-letter-strategy": (),
    "x-max-length-bytes": (),
    "x-max-priority": (),
    "x-queue-version": (),
    "x-single-active-consumer": (),
}
_EXCHANGE_ARGUMENTS: dict[str, tuple[str, ...]] = {"alternate-exchange": ()}
_CONSUMER_ARGUMENTS: dict[str, tuple[str, ...]] = {"x-priority": ()}
_OVERFLOWS = (_DROP_HEAD, "reject-publish", "reject-publish-dlx")
# A second declaration is compared in these only.
_COMPARED = (MAX_LENGTH, _OVERFLOW)


def check_queue(name: bytes, arguments: dict[Any, Any]) -> None:
    """Check the arguments of a new queue.

    Raises:
        ProtocolError: 406 a value makes no sense, 540 it is for something that is not there.
    """
    length = arguments.get(MAX_LENGTH, 0)
    overflow = arguments.get(_OVERFLOW, _DROP_HEAD)
    if isinstance(length, bool) or not isinstance(length, int):
        raise _invalid(MAX_LENGTH, name, f'"expected integer, got {_type(length)}"')
    if length < 0:
        raise _invalid(MAX_LENGTH, name, f"{{value_negative,{int(length)}}}")
    if not isinstance(overflow, str):
        raise _invalid(_OVERFLOW, name, f"{{unacceptable_type,{_type(overflow)}}}")
    if overflow not in _OVERFLOWS:
        raise _invalid(_OVERFLOW, name, "invalid_overflow")
    _check_offered("queue", arguments, _QUEUE_ARGUMENTS)


def check_exchange(arguments: dict[Any, Any]) -> None:
    """Check the arguments of a new exchange.

    Raises:
        ProtocolError: 540, one is for something that is not there.
    """
    _check_offered("exchange", arguments, _EXCHANGE_ARGUMENTS)


def check_consumer(arguments: dict[Any, Any]) -> None:
    """Check the arguments of a consumer.

    Raises:
        ProtocolError: 540, one is for something that is not there.
    """
    _check_offered("consumer", arguments, _CONSUMER_ARGUMENTS)


def check_same_flag(kind: str, name: bytes, flag: str, received: bool | str, current: bool | str) -> None:
    """Compare a flag, or the type, of a second declaration with that of the first.

    Raises:
        ProtocolError: 406, they differ.
    """
    if received != current:
        values = [value if isinstance(value, str) else str(value).lower() for value in (received, current)]
        raise _inequivalent(kind, name, flag, f"received '{values[0]}' but current is '{values[1]}'")


def check_same_arguments(name: bytes, received: dict[Any, Any], current: dict[Any, Any]) -> None:
    """Compare the arguments of a second declaration of a queue with those of the first.

    Raises:
        ProtocolError: 406, they differ.
    """
    for key in _COMPARED:
        new, old = received.get(key), current.get(key)
        if new == old:
            continue
        if new is not None and old is not None:
            text = f"received '{new}' but current is '{old}'"
        elif new is not None:
            text = f"received the value '{new}' of type '{_type(new)}' but current is none"
        else:
            text = f"received none but current is the value '{old}' of type '{_type(old)}'"
        raise _inequivalent("queue", name, key, text)


def _check_offered(kind: str, arguments: dict[Any, Any], known: dict[str, tuple[str, ...]]) -> None:
    for key, value in arguments.items():
        if key in known and value not in known[key]:
            raise not_offered(f"{kind} argument {key}" + (f"={value}" if known[key] else ""))


def _invalid(key: str, name: bytes, problem: str) -> ProtocolError:
    return ProtocolError(Code.PRECONDITION_FAILED, f"invalid arg '{key}' for {placed('queue', name)}: {problem}")


def _inequivalent(kind: str, name: bytes, key: str, text: str) -> ProtocolError:
    return ProtocolError(Code.PRECONDITION_FAILED, f"inequivalent arg '{key}' for {placed(kind, name)}: {text}")


def _type(value: object) -> str:
    """Return what Erlang calls the type of a field."""
    names = {bool: "bool", str: "longstr", bytes: "longstr", long: "long", int: "signedint", dict: "table"}
    names |= {list: "array", type(None): "void"}
    return names.get(type(value), type(value).__name__)

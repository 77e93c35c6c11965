"""The methods of class exchange (AMQP 0-9-1, 1.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika import spec

from dragonfly.broker.arguments import check_exchange, check_same_flag
from dragonfly.broker.channel import Channel
from dragonfly.broker.errors import Code, ProtocolError, not_found, not_offered, placed, shown
from dragonfly.broker.names import as_name, check_not_reserved, is_reserved
from dragonfly.broker.virtual_host import AMQ_TOPIC

_TOPIC = "topic"
_KNOWN_TYPES = (_TOPIC, "direct", "fanout", "headers")


def declare(channel: Channel, method: Any) -> None:
    """Make an exchange, or see that it is there and the same."""
    name = as_name(method.exchange)
    _check_not_default(name)
    exchange = channel.host.exchange(name)
    if method.passive:
        if exchange is None:
            raise not_found("exchange", name)
    elif method.type not in _KNOWN_TYPES:
        raise ProtocolError(Code.COMMAND_INVALID, f"unknown exchange type {shown(as_name(method.type))}")
    elif exchange is None:
        check_not_reserved("exchange", name)
        _check_offered(method)
        channel.host.add_exchange(name, method.auto_delete)
    else:
        flags: dict[str, tuple[bool | str, bool | str]] = {
            "type": (method.type, _TOPIC),
            "durable": (method.durable, name == AMQ_TOPIC),
            "auto_delete": (method.auto_delete, exchange.auto_delete),
            "internal": (method.internal, False),
        }
        for flag, (received, current) in flags.items():
            check_same_flag("exchange", name, flag, received, current)
        check_exchange(method.arguments)
    if not method.nowait:
        channel.reply(spec.Exchange.DeclareOk())


def delete(channel: Channel, method: Any) -> None:
    """Delete an exchange; one that is not there is no error."""
    name = as_name(method.exchange)
    _check_not_default(name)
    if is_reserved(name):
        raise ProtocolError(Code.ACCESS_REFUSED, f"deletion of system {placed('exchange', name)} not allowed")
    exchange = channel.host.exchange(name)
    if exchange is not None and method.if_unused and exchange.bindings:
        raise ProtocolError(Code.PRECONDITION_FAILED, f"{placed('exchange', name)} in use")
    channel.host.delete_exchange(name)
    if not method.nowait:
        channel.reply(spec.Exchange.DeleteOk())


def _check_not_default(name: bytes) -> None:
    if not name:
        raise ProtocolError(Code.ACCESS_REFUSED, "operation not permitted on the default exchange")


def _check_offered(method: Any) -> None:
    if method.type != _TOPIC:
        raise not_offered(f"exchange type {method.type}, only {_TOPIC}")
    if method.durable:
        raise not_offered("durable exchanges")
    if method.internal:
        raise not_offered("internal exchanges")
    check_exchange(method.arguments)


HANDLERS: dict[int, Callable[[Channel, Any], None]] = {
    spec.Exchange.Declare.INDEX: declare,
    spec.Exchange.Delete.INDEX: delete,
}

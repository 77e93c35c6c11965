"""What the broker does for each method on a channel, and what it does not do."""

from __future__ import annotations

from typing import Any

from pika import spec

from dragonfly.broker import basic_methods, exchange_methods, queue_methods
from dragonfly.broker.channel import Channel
from dragonfly.broker.errors import Code, ProtocolError, not_offered
from dragonfly.broker.frames import INDEX, decode_method, method_ids, method_index

_PUBLISH = spec.Basic.Publish.INDEX


def perform(channel: Channel, payload: bytes) -> None:
    """Do what a method frame says.

    Args:
        channel: on which it came.
        payload: of the frame.

    Raises:
        ProtocolError: it cannot be done; the error names the method.
    """
    index = method_index(payload)
    arguments = payload[INDEX.size :]
    try:
        if index == _PUBLISH:
            channel.publish(arguments)
            return
        channel.expect_method()
        handle = _HANDLERS.get(index)
        if handle is not None:
            handle(channel, decode_method(index, arguments))
        elif index in _NOT_OFFERED:
            raise not_offered(_NOT_OFFERED[index])
        else:
            raise ProtocolError(Code.COMMAND_INVALID, "unimplemented method")
    except ProtocolError as error:
        if error.method is None:
            error.method = method_ids(index)
        raise


def _close(channel: Channel, _method: Any) -> None:
    channel.end()
    channel.is_over = True
    channel.reply(spec.Channel.CloseOk())


def _open_again(_channel: Channel, _method: Any) -> None:
    raise ProtocolError(Code.CHANNEL_ERROR, "second 'channel.open' seen")


_HANDLERS = {
    **exchange_methods.HANDLERS,
    **queue_methods.HANDLERS,
    **basic_methods.HANDLERS,
    spec.Channel.Open.INDEX: _open_again,
    spec.Channel.Close.INDEX: _close,
}
# What RabbitMQ has and this broker does not.
_NOT_OFFERED = {
    spec.Basic.Get.INDEX: "basic.get: consume instead",
    spec.Basic.Recover.INDEX: "basic.recover: nack with requeue instead",
    spec.Basic.RecoverAsync.INDEX: "basic.recover-async: nack with requeue instead",
    spec.Exchange.Bind.INDEX: "exchange.bind: bindings between exchanges",
    spec.Exchange.Unbind.INDEX: "exchange.unbind: bindings between exchanges",
    spec.Tx.Select.INDEX: "tx.select: transactions",
    spec.Tx.Commit.INDEX: "tx.commit: transactions",
    spec.Tx.Rollback.INDEX: "tx.rollback: transactions",
}

"""The verbs that send one request and print the answer: get, set, config, run, cmd, send."""

from __future__ import annotations

import argparse
import logging
import math
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from dragonfly.core.constants import (
    BROADCAST,
    DEFAULT_TIMEOUT,
    LEVEL_NOTICE,
    OP_CMD,
    OP_CONFIG,
    OP_GET,
    OP_RUN,
    OP_SEND,
    OP_SET,
)
from dragonfly.core.exceptions import DriplineError, is_error
from dragonfly.core.routing import split
from dragonfly.subcommands.broker_choice import choose_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.routing_key import check_target
from dragonfly.subcommands.values import payload_as_typed, payload_from

if TYPE_CHECKING:
    from dragonfly.core.message import ReplyMessage

logger = logging.getLogger(__name__)

_LONGEST_TIMEOUT = 4_294_967  # s; RabbitMQ counts a message's expiration in milliseconds, in 32 bits
_RED, _PLAIN = "\x1b[91m", "\x1b[0m"


class Request:
    """Send one request; what the verbs below have in common."""

    operation: ClassVar[int]

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument("target")
        parser.add_argument("values", nargs="*", default=[])
        parser.add_argument(
            "--timeout",
            type=_seconds,
            default=DEFAULT_TIMEOUT,
            help="maximum time, in seconds, to wait for a Reply",
        )
        parser.add_argument(
            "--lockout-key",
            metavar="lockout_key",
            help="string to provide in the RequestMessage.lockout_key, for locking endpoints or using locked endpoints",
        )
        parser.add_argument(
            "--pretty-print",
            action="store_true",
            help="attempt to print value_cal in a manor easily read by humans (and pasted into elogs)",
        )
        more_options.add_argument(
            "--json",
            action="store_true",
            help="print each reply as a JSON object on one line, and nothing else",
        )

    def __call__(self, args: argparse.Namespace) -> int:
        """Send the request, print what comes back, and return the exit status."""
        try:
            replies = self._replies(args)
        except CommandError as err:
            return err.report(logger)
        except DriplineError as err:
            return command_error(err).report(logger)
        for reply in replies:
            _show(reply, args)
        return Status.FAILED if any(is_error(reply.retcode) for reply in replies) else Status.SUCCESS

    def payload(self, words: list[str]) -> dict[str, Any]:
        """Return the payload that the words after the target stand for.

        Raises:
            ValueError: they cannot be understood.
        """
        return payload_from(words)

    def _replies(self, args: argparse.Namespace) -> list[ReplyMessage]:
        try:
            check_target(args.target)
            payload = self.payload(args.values)
        except ValueError as err:
            raise CommandError(Status.USAGE, str(err)) from err
        broker = choose_broker(args)

        from dragonfly.core.interface import Interface  # it loads pika: only when there is something to send

        name = f"{type(self).__name__.lower()} {args.target}@{socket.gethostname()}"
        with Interface(broker, name, confirm_retcodes=False, timeout=args.timeout) as interface:
            if not _is_broadcast(args.target):
                return [interface.request(args.target, self.operation, payload, lockout_key=args.lockout_key)]
            replies = interface.request_all(args.target, self.operation, payload, lockout_key=args.lockout_key)
        if not replies:
            raise CommandError(Status.NO_REPLY, f"no service answered {args.target} within {args.timeout:g} s")
        return replies


class Get(Request):
    """Ask for a value."""

    operation = OP_GET


class Set(Request):
    """Set a value."""

    operation = OP_SET


class Run(Request):
    """Have an endpoint run what it runs."""

    operation = OP_RUN


class Cmd(Request):
    """Call a method."""

    operation = OP_CMD


class Send(Request):
    """Hand texts to an instrument, exactly as they were typed."""

    operation = OP_SEND

    def payload(self, words: list[str]) -> dict[str, Any]:
        """Return the payload that the words after the target stand for."""
        return payload_as_typed(words)


class Config(Request):
    """Get or set an attribute in the way of the first releases."""

    operation = OP_CONFIG

    def __call__(self, args: argparse.Namespace) -> int:
        """Say what replaces this verb, then do it."""
        attribute = ".".join([args.target, *args.values[:1]])
        instead = " ".join(["set" if len(args.values) > 1 else "get", attribute, *args.values[1:]])
        logger.warning("config is deprecated: use dragonfly %s", instead)
        return super().__call__(args)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(
            f"a number of seconds above 0, up to {_LONGEST_TIMEOUT}, was expected, not {text!r}"
        )
    return seconds


def _is_broadcast(target: str) -> bool:
    return split(target)[0] == BROADCAST


def _show(reply: ReplyMessage, args: argparse.Namespace) -> None:
    if logger.isEnabledFor(logging.INFO):
        from dragonfly.subcommands.message_text import indented, shown_fields

        logger.info("response:\n%s", indented(shown_fields(reply), 4))
    print(_json(reply, args.target) if args.json else _text(reply, args))  # noqa: T201
    if reply.return_msg and not args.json:
        logger.log(LEVEL_NOTICE, "return message: %s", reply.return_msg)


def _has_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _json(reply: ReplyMessage, target: str) -> str:
    from dragonfly.subcommands.message_text import one_line

    fields = {
        "target": target,
        "service": reply.service_name,
        "retcode": reply.retcode,
        "return_msg": reply.return_msg,
        "payload": reply.payload,
        "timestamp": reply.timestamp,
    }
    return one_line(fields)


def _text(reply: ReplyMessage, args: argparse.Namespace) -> str:
    sender = f"[{reply.service_name}]-> " if reply.service_name and _is_broadcast(args.target) else ""
    line = f"{'->'.join([args.target, *args.values])}(ret:{reply.retcode}): {sender}{reply.payload}"
    if is_error(reply.retcode) and _has_colours():
        line = f"{_RED}{line}{_PLAIN}"
    if args.pretty_print and "value_cal" in reply.payload:
        return f"{line}\n\n{reply.payload['value_cal']}\n"
    if args.pretty_print:
        logger.warning("no value cal present, unable to pretty-print")
    return line

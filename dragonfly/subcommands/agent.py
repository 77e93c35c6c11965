"""The verbs that send one request and print the answer: get, set, config, run, cmd, send."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from dragonfly.core.constants import (
    DEFAULT_QUIET_TIME,
    DEFAULT_TIMEOUT,
    LEVEL_NOTICE,
    OP_CMD,
    OP_CONFIG,
    OP_GET,
    OP_RUN,
    OP_SEND,
    OP_SET,
)
from dragonfly.core.exceptions import DriplineError, DriplineInvalidKey, is_error
from dragonfly.core.lockout import normalised_key
from dragonfly.core.routing import split
from dragonfly.status_log_handlers.console import TIME, has_colours
from dragonfly.subcommands.broadcast import check_consent, is_broadcast
from dragonfly.subcommands.broker_choice import choose_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.routing_key import check_target
from dragonfly.subcommands.seconds import seconds
from dragonfly.subcommands.values import payload_as_typed, payload_from

if TYPE_CHECKING:
    from dragonfly.core.interface import Interface
    from dragonfly.core.message import ReplyMessage

logger = logging.getLogger(__name__)

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
            type=seconds,
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
        more_options.add_argument(
            "--quiet-time",
            type=seconds,
            default=DEFAULT_QUIET_TIME,
            metavar="SECONDS",
            help="a broadcast ends so long after the last reply (0.5 by default), at --timeout at the latest",
        )
        more_options.add_argument(
            "--yes", action="store_true", help="send a broadcast to all services without asking whether to"
        )

    def __call__(self, args: argparse.Namespace) -> int:
        """Send the request, print what comes back, and return the exit status."""
        try:
            return self._run(args)
        except CommandError as err:
            return err.report(logger)
        except DriplineError as err:
            return command_error(err).report(logger)

    def _run(self, args: argparse.Namespace) -> Status:
        replies = self._replies(args)
        for reply in replies:
            self.show(reply, args)
        return Status.FAILED if any(is_error(reply.retcode) for reply in replies) else Status.SUCCESS

    def payload(self, words: list[str]) -> dict[str, Any]:
        """Return the payload that the words after the target stand for.

        Raises:
            ValueError: they cannot be understood.
        """
        return payload_from(words)

    def text(self, reply: ReplyMessage, args: argparse.Namespace) -> str:
        """Return what is printed of a reply, if not --json."""
        return _text(reply, args)

    def remark(self, reply: ReplyMessage) -> str:
        """Return what a person is told beside it."""
        return reply.return_msg

    def show(self, reply: ReplyMessage, args: argparse.Namespace, lead: str = "") -> None:
        """Print a reply, and tell a person what there is to tell.

        Args:
            reply: what came back.
            args: the words.
            lead: what comes before it on its line.
        """
        if logger.isEnabledFor(logging.INFO):
            from dragonfly.subcommands.message_text import indented, shown_fields

            logger.info("response:\n%s", indented(shown_fields(reply, args.target), 4))
        print(lead + (self._line(reply, args) if args.json else self.text(reply, args)))  # noqa: T201
        remark = self.remark(reply)
        if remark and not args.json:
            logger.log(LEVEL_NOTICE, "return message: %s", remark)

    def _line(self, reply: ReplyMessage, args: argparse.Namespace) -> str:
        from dragonfly.subcommands.message_text import reply_line

        return reply_line(reply, args.target)

    def payload_and_key(self, args: argparse.Namespace) -> tuple[dict[str, Any], str | None]:
        """Return the payload and the lockout key that the words stand for.

        Raises:
            CommandError: they cannot be understood, or the target is none.
        """
        try:
            check_target(args.target)
            return self.payload(args.values), None if args.lockout_key is None else normalised_key(args.lockout_key)
        except ValueError as err:
            raise CommandError(Status.USAGE, str(err)) from err
        except DriplineInvalidKey as err:
            raise CommandError(Status.USAGE, f"--lockout-key: {err}") from err

    def interface(self, args: argparse.Namespace) -> Interface:
        """Return a client of the mesh that the words choose.

        Raises:
            CommandError: the config file cannot be read.
            DriplineValueError: its broker is no address.
        """
        broker = choose_broker(args)

        from dragonfly.core.interface import Interface  # it loads pika: only when there is something to send

        name = f"{type(self).__name__.lower()} {args.target}@{socket.gethostname()}"
        return Interface(broker, name, confirm_retcodes=False, timeout=args.timeout)

    def _replies(self, args: argparse.Namespace) -> list[ReplyMessage]:
        payload, lockout_key = self.payload_and_key(args)
        is_for_all = is_broadcast(args.target)
        if is_for_all and not args.yes:
            check_consent(self._specifier(args))
        with self.interface(args) as interface:
            if not is_for_all:
                return [interface.request(args.target, self.operation, payload, lockout_key=lockout_key)]
            replies = interface.request_all(
                args.target, self.operation, payload, lockout_key=lockout_key, quiet_time=args.quiet_time
            )
        if not replies:
            raise CommandError(Status.NO_REPLY, f"no service answered {args.target} within {args.timeout:g} s")
        return replies

    def _specifier(self, args: argparse.Namespace) -> str:
        return split(args.target)[1]


class Get(Request):
    """Ask for a value."""

    example = "dragonfly get peaches"

    operation = OP_GET

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        super().update_parser(parser, more_options)
        more_options.add_argument(
            "--watch",
            type=seconds,
            metavar="SECONDS",
            help="ask again and again at this interval and print a line, with the time, at each change, until Ctrl-C",
        )

    def _run(self, args: argparse.Namespace) -> Status:
        if getattr(args, "watch", None) is None:  # dripline_agent does not have it
            return super()._run(args)

        from dragonfly.subcommands.watch import watch

        payload, lockout_key = self.payload_and_key(args)
        if is_broadcast(args.target):
            raise CommandError(Status.USAGE, "--watch is for one endpoint: a broadcast has many answers")
        with self.interface(args) as interface:
            return watch(
                args.watch,
                lambda: interface.request(args.target, self.operation, payload, lockout_key=lockout_key),
                lambda reply: self._show_with_time(reply, args),
            )

    def _show_with_time(self, reply: ReplyMessage, args: argparse.Namespace) -> None:
        self.show(reply, args, "" if args.json else f"{time.strftime(TIME)} ")
        sys.stdout.flush()


class Set(Request):
    """Set a value."""

    example = "dragonfly set peaches 0.64"

    operation = OP_SET


class Run(Request):
    """Have an endpoint run what it runs."""

    example = "dragonfly run my_daq duration=60"

    operation = OP_RUN


class Cmd(Request):
    """Call a method."""

    example = "dragonfly cmd peaches.ping"

    operation = OP_CMD

    def _specifier(self, args: argparse.Namespace) -> str:
        specifier = super()._specifier(args)
        if not specifier and args.values:  # `cmd broadcast ping` is `cmd broadcast.ping`
            specifier = str(args.values[0]).replace("-", "_")
        return specifier


class Send(Request):
    """Hand texts to an instrument, exactly as they were typed."""

    example = "dragonfly send my_price_list '*IDN?'"

    operation = OP_SEND

    def payload(self, words: list[str]) -> dict[str, Any]:
        """Return the payload that the words after the target stand for."""
        return payload_as_typed(words)


class Config(Request):
    """Get or set an attribute in the way of the first releases."""

    example = "dragonfly config peaches log_interval 10"

    operation = OP_CONFIG

    def __call__(self, args: argparse.Namespace) -> int:
        """Say what replaces this verb, then do it."""
        attribute = ".".join([args.target, *args.values[:1]])
        instead = " ".join(["set" if len(args.values) > 1 else "get", attribute, *args.values[1:]])
        logger.warning("config is deprecated: use dragonfly %s", instead)
        return super().__call__(args)


def _text(reply: ReplyMessage, args: argparse.Namespace) -> str:
    sender = f"[{reply.service_name}]-> " if reply.service_name and is_broadcast(args.target) else ""
    line = f"{'->'.join([args.target, *args.values])}(ret:{reply.retcode}): {sender}{reply.payload}"
    if is_error(reply.retcode) and has_colours(sys.stdout):
        line = f"{_RED}{line}{_PLAIN}"
    if args.pretty_print and "value_cal" in reply.payload:
        return f"{line}\n\n{reply.payload['value_cal']}\n"
    if args.pretty_print:
        logger.warning("no value cal present, unable to pretty-print")
    return line

"""The verb that shows what goes through an exchange: monitor."""

from __future__ import annotations

import argparse
import logging
import math
import socket
import sys
import time
from typing import TYPE_CHECKING

from dragonfly.core.constants import ALERTS, EXCHANGES, PROBE_HEADER
from dragonfly.core.exceptions import DriplineError
from dragonfly.subcommands.broker_choice import choose_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.routing_key import check_length
from dragonfly.subcommands.seconds import seconds
from dragonfly.subcommands.signals import Terminated, interrupted_by_sigterm

if TYPE_CHECKING:
    from dragonfly.core.amqp.packet import Delivery
    from dragonfly.core.listener import Listener
    from dragonfly.subcommands.message_printer import Printer

logger = logging.getLogger(__name__)

_EVERYTHING = "#"
_VERBOSITY_FOR_PROBES = 2


class Monitor:
    """Print every message that an exchange delivers for some keys, until Ctrl-C."""

    example = "dragonfly monitor -k sensor_value.#"

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument(
            "-e",
            "--exchange",
            metavar="exchange name",
            action="append",
            help="amqp name of the exchange to monitor",
        )
        parser.add_argument("-k", "--keys", metavar="keys", nargs="*", default=[], help="amqp binding keys to follow")
        parser.add_argument("-po", "--payload-only", action="store_true", help="Print only the message.payload")
        more_options.add_argument("--json", action="store_true", help="print each message as a JSON object on one line")
        more_options.add_argument("--count", type=_count, metavar="N", help="end after so many messages")
        more_options.add_argument("--duration", type=seconds, metavar="SECONDS", help="end after so long")
        more_options.add_argument(
            "--show-keys", action="store_true", help="print lockout keys as they are, instead of three asterisks"
        )

    def words_for(self, argument: str) -> list[str] | None:
        """Return what a word of the command line can be; None where that is not known."""
        return list(EXCHANGES) if argument == "exchange" else None

    def __call__(self, args: argparse.Namespace) -> int:
        """Print messages until the person has seen enough, and return the exit status."""
        exchanges = list(dict.fromkeys(args.exchange or [ALERTS]))
        try:
            with interrupted_by_sigterm():
                self._follow(exchanges, args)
        except CommandError as err:
            return err.report(logger)
        except DriplineError as err:
            return _explained(err, exchanges).report(logger)
        except Terminated:
            logger.warning("received SIGTERM... exiting")
        except KeyboardInterrupt:
            logger.warning("received <Ctrl+c>... exiting")
        return Status.SUCCESS

    def _follow(self, exchanges: list[str], args: argparse.Namespace) -> None:
        keys = list(dict.fromkeys(args.keys)) or [_EVERYTHING]
        try:
            for text in (*exchanges, *keys):
                check_length(text)
        except ValueError as err:
            raise CommandError(Status.USAGE, str(err)) from err
        broker = choose_broker(args)

        from dragonfly.core.listener import Listener  # it loads pika, which -h does not need
        from dragonfly.subcommands.message_printer import BlockPrinter, LinePrinter

        printer: Printer
        if args.json:
            printer = LinePrinter(args.payload_only, args.show_keys)
        else:
            source = f"{__name__}({_print_all.__code__.co_firstlineno})"
            printer = BlockPrinter(args.payload_only, args.show_keys, source)
        listener = Listener(broker, exchanges, keys, f"monitor@{socket.gethostname()}")
        try:
            listener.start()
            logger.info("starting to monitor")
            _print_all(listener, printer, args)
        finally:
            listener.stop()


def _print_all(listener: Listener, printer: Printer, args: argparse.Namespace) -> None:
    left = args.count or math.inf
    end = math.inf if args.duration is None else time.monotonic() + args.duration
    while left > 0 and time.monotonic() < end:
        wanted = [delivery for delivery in _next(listener, end) if _is_wanted(delivery, args.verbose)]
        if len(wanted) > left:
            del wanted[int(left) :]
        left -= len(wanted)
        sys.stdout.write(printer.text(wanted))
    sys.stdout.flush()


def _next(listener: Listener, end: float) -> list[Delivery]:
    """Return the next messages; what was printed reaches the reader before there is a wait for them."""
    burst = listener.next_burst(0)
    if not burst:
        sys.stdout.flush()
        burst = listener.next_burst(None if end == math.inf else max(0.0, end - time.monotonic()))
    return burst


def _is_wanted(delivery: Delivery, verbosity: int) -> bool:
    return PROBE_HEADER not in delivery.headers or verbosity >= _VERBOSITY_FOR_PROBES


def _explained(error: DriplineError, exchanges: list[str]) -> CommandError:
    for exchange in exchanges:
        if f"no exchange '{exchange}'" in str(error):
            known = " and ".join(EXCHANGES)
            return CommandError(Status.USAGE, f"there is no exchange {exchange}: those of a mesh are {known}")
    return command_error(error)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 18 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"a whole number from 1 on was expected, not {text!r}")
    return int(text)

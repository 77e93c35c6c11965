"""The verb that shows what goes through an exchange: monitor."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
from typing import TYPE_CHECKING, Any

from dragonfly.core.constants import ALERTS, EXCHANGES, LEVEL_MESSAGE, PROBE_HEADER
from dragonfly.core.exceptions import DriplineError
from dragonfly.subcommands.broker_choice import choose_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.routing_key import check_length
from dragonfly.subcommands.signals import Terminated, interrupted_by_sigterm

if TYPE_CHECKING:
    from dragonfly.core.amqp.packet import Delivery
    from dragonfly.core.listener import Listener

logger = logging.getLogger(__name__)

_EVERYTHING = "#"
_NO_APP = "unknown"
_VERBOSITY_FOR_PROBES = 2


class Monitor:
    """Print every message that an exchange delivers for some keys, until Ctrl-C."""

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument(
            "-e",
            "--exchange",
            metavar="exchange name",
            default=ALERTS,
            help="amqp name of the exchange to monitor",
        )
        parser.add_argument("-k", "--keys", metavar="keys", nargs="*", default=[], help="amqp binding keys to follow")
        parser.add_argument("-po", "--payload-only", action="store_true", help="Print only the message.payload")
        more_options.add_argument("--json", action="store_true", help="print each message as a JSON object on one line")

    def __call__(self, args: argparse.Namespace) -> int:
        """Print messages until the person has seen enough, and return the exit status."""
        try:
            with interrupted_by_sigterm():
                self._follow(args)
        except CommandError as err:
            return err.report(logger)
        except DriplineError as err:
            return _explained(err, args.exchange).report(logger)
        except Terminated:
            logger.warning("received SIGTERM... exiting")
        except KeyboardInterrupt:
            logger.warning("received <Ctrl+c>... exiting")
        return Status.SUCCESS

    def _follow(self, args: argparse.Namespace) -> None:
        keys = args.keys or [_EVERYTHING]
        try:
            for text in (args.exchange, *keys):
                check_length(text)
        except ValueError as err:
            raise CommandError(Status.USAGE, str(err)) from err
        broker = choose_broker(args)

        from dragonfly.core.listener import Listener  # it loads pika, which -h does not need

        show = _show_json if args.json else _show_block
        name = f"monitor@{socket.gethostname()}"
        listener = Listener(broker, args.exchange, keys, name)
        try:
            listener.start()
            logger.info("starting to monitor")
            while True:
                delivery = _next(listener)
                if delivery is not None and _is_wanted(delivery, args.verbose):
                    show(delivery, args.payload_only)
        finally:
            listener.stop()


def _next(listener: Listener) -> Delivery | None:
    """Return the next message; what was shown reaches the reader before there is a wait for it."""
    delivery = listener.next(0)
    if delivery is None:
        sys.stdout.flush()
        delivery = listener.next(None)
    return delivery


def _is_wanted(delivery: Delivery, verbosity: int) -> bool:
    return verbosity >= _VERBOSITY_FOR_PROBES or PROBE_HEADER not in (delivery.headers or {})


def _show_block(delivery: Delivery, payload_only: bool) -> None:
    from dragonfly.subcommands.message_text import indented, undecoded

    try:
        content = _content(delivery, payload_only)
        text = indented(content, 2 if payload_only else 4)
    except DriplineError as err:
        text = f"cannot be decoded: {err}\n{undecoded(delivery.body)}"
    logger.log(
        LEVEL_MESSAGE,
        "\n%s [%s]     (From App [routing_key])\n%s",
        delivery.app_id or _NO_APP,
        delivery.routing_key,
        text,
    )


def _show_json(delivery: Delivery, payload_only: bool) -> None:
    from dragonfly.subcommands.message_text import one_line, undecoded

    fields: dict[str, Any] = {
        "exchange": delivery.exchange,
        "routing_key": delivery.routing_key,
        "app_id": delivery.app_id,
    }
    try:
        fields["message"] = _content(delivery, payload_only)
    except DriplineError as err:
        fields.update(message=None, reason=str(err), body=undecoded(delivery.body))
    sys.stdout.write(one_line(fields) + "\n")


def _content(delivery: Delivery, payload_only: bool) -> Any:
    from dragonfly.core.codec import decode
    from dragonfly.subcommands.message_text import shown_fields

    message = decode(delivery.body, delivery.content_encoding)
    return message.payload if payload_only else shown_fields(message)


def _explained(error: DriplineError, exchange: str) -> CommandError:
    if f"no exchange '{exchange}'" in str(error):
        known = " and ".join(EXCHANGES)
        return CommandError(Status.USAGE, f"there is no exchange {exchange}: those of a mesh are {known}")
    return command_error(error)

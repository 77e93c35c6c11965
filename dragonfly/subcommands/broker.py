"""The verb that runs the embedded broker: broker."""

from __future__ import annotations

import argparse
import logging

from dragonfly.subcommands.exit_status import CommandError, Status

logger = logging.getLogger(__name__)


class Broker:
    """Run an AMQP broker for one machine until Ctrl-C or SIGTERM."""

    example = "dragonfly broker"

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        from dragonfly.broker.command import add_arguments

        add_arguments(parser)

    def __call__(self, args: argparse.Namespace) -> int:
        """Run the broker, and return the exit status."""
        from dragonfly.broker.command import run_to_the_end

        try:
            _refuse_what_others_take(args)
        except CommandError as err:
            return err.report(logger)
        return run_to_the_end(args)


def _refuse_what_others_take(args: argparse.Namespace) -> None:
    """Refuse the options of all verbs that would be taken for this one's address.

    Raises:
        CommandError: there is one.
    """
    if args.broker is not None:
        text = "-b says where a broker is; where this one listens is said with --host and --port"
        raise CommandError(Status.USAGE, text)
    if args.config is not None:
        raise CommandError(Status.USAGE, "-c names a config file, and a broker has none: it takes --host and --port")

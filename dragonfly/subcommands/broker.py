"""The verb that runs the embedded broker: broker."""

from __future__ import annotations

import argparse


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

        return run_to_the_end(args)

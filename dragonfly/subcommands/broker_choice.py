"""Which broker a client talks to."""

from __future__ import annotations

import argparse
import os

from dragonfly.core.broker_address import Broker
from dragonfly.subcommands.exit_status import CommandError, Status

_VARIABLE = "DRAGONFLY_BROKER"


def choose_broker(args: argparse.Namespace) -> Broker:
    """Return the broker of -b, else the config file's, else the environment's; None is localhost.

    Raises:
        CommandError: the config file cannot be read.
    """
    if args.broker is not None:
        return str(args.broker)
    in_file = _broker_in_file(args.config) if args.config is not None else None
    return in_file or environment_broker()


def environment_broker() -> str | None:
    """Return the broker that the environment names."""
    return os.environ.get(_VARIABLE) or None


def _broker_in_file(path: str) -> Broker:
    # YAML is loaded by those only who give a file.
    from dragonfly.loader import ConfigError, read_broker

    try:
        return read_broker(path)
    except ConfigError as err:
        raise CommandError(Status.BAD_CONFIG, *map(str, err.problems)) from err

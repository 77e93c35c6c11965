"""Which broker a program talks to: that of -b, else the config file's, else the environment's, else localhost."""

from __future__ import annotations

import argparse
import os

from dragonfly.core.broker_address import Broker
from dragonfly.subcommands.exit_status import CommandError, Status

_VARIABLE = "DRAGONFLY_BROKER"


def preferred_broker(option: str | None, in_file: Broker) -> Broker:
    """Return the broker that goes before the others; None, as the empty text, is localhost.

    Args:
        option: what -b says; None without it.
        in_file: what the config file says; None where it says nothing, or there is none.
    """
    if option is not None:
        return option
    return in_file if in_file is not None else os.environ.get(_VARIABLE) or None


def choose_broker(args: argparse.Namespace) -> Broker:
    """Return the broker that the words of a command line choose.

    Raises:
        CommandError: the config file cannot be read.
    """
    asks_file = args.broker is None and args.config is not None
    return preferred_broker(args.broker, _broker_in_file(args.config) if asks_file else None)


def _broker_in_file(path: str) -> Broker:
    # YAML is loaded by those only who give a file.
    from dragonfly.loader import ConfigError, read_broker

    try:
        return read_broker(path)
    except ConfigError as err:
        raise CommandError(Status.BAD_CONFIG, *map(str, err.problems)) from err

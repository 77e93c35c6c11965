"""The verb that shows which classes a config file can name, and their keys: doc."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING

from dragonfly.subcommands.exit_status import CommandError, Status

if TYPE_CHECKING:
    from dragonfly.loader.catalogue import Entry

logger = logging.getLogger(__name__)

# What loader/catalogue.py finds in core, for TAB, which has no time to load it; a test holds it to that.
_OF_CORE = ("Endpoint", "Provider", "Spime", "Service", "AlertConsumer", "Spimescape", "Gogol")


class Doc:
    """Show the documentation of a class for config files; without one, name all classes."""

    example = "dragonfly doc kv_store_key"

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument(
            "class_name",
            nargs="?",
            metavar="CLASS",
            help="class to show, as `module:` in a config file calls it; with -c, also one of that file's module_path",
        )

    def words_for(self, argument: str) -> list[str] | None:
        """Return what a word of the command line can be; None where that is not known."""
        if argument != "class_name":
            return None
        from dragonfly import implementations

        return [*implementations.TABLE, *_OF_CORE]

    def __call__(self, args: argparse.Namespace) -> int:
        """Print what was asked for, and return the exit status."""
        try:
            of_file = _entries_of(args.config)
            return _show_all(of_file) if args.class_name is None else _show(args.class_name, of_file)
        except CommandError as err:
            return err.report(logger)


def _entries_of(file: str | None) -> list[Entry]:
    from dragonfly.loader import ConfigError  # it loads YAML and pika, which -h does not need
    from dragonfly.loader.catalogue import entries_of_file

    try:
        return [] if file is None else entries_of_file(file)
    except ConfigError as err:
        raise CommandError(Status.BAD_CONFIG, *map(str, err.problems)) from err


def _show(name: str, of_file: list[Entry]) -> Status:
    from dragonfly.loader.catalogue import LookupFailedError, find
    from dragonfly.subcommands.class_text import page

    loaders = [entry.load for entry in of_file if entry.name == name]
    try:
        cls = loaders[0]() if loaders else find(name)
    except LookupFailedError as err:
        raise CommandError(Status.USAGE, str(err)) from err
    print("\n".join(page(name, cls)))  # noqa: T201
    return Status.SUCCESS


def _show_all(of_file: list[Entry]) -> Status:
    from dragonfly.loader.catalogue import entries, reused_names
    from dragonfly.subcommands.class_text import table

    print("\n".join(table([*of_file, *entries()])))  # noqa: T201
    problems = reused_names()
    for sentence in problems:
        logger.error("%s", sentence)
    return Status.BAD_CONFIG if problems else Status.SUCCESS

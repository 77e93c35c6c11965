"""The verb that shows what is alive on the mesh: list."""

from __future__ import annotations

import argparse
import fnmatch
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from dragonfly.core.constants import DEFAULT_QUIET_TIME, DEFAULT_TIMEOUT
from dragonfly.core.exceptions import DriplineError
from dragonfly.subcommands.broker_choice import choose_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.seconds import seconds

if TYPE_CHECKING:
    from dragonfly.core.broker_address import Broker
    from dragonfly.subcommands.mesh_tree import Node
    from dragonfly.subcommands.prober import Prober

logger = logging.getLogger(__name__)

_EVERYTHING = "*"


class List:
    """Show the services and endpoints that are alive, as a tree."""

    example = "dragonfly list 'peach*' -l"

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument(
            "pattern",
            nargs="?",
            default=_EVERYTHING,
            metavar="PATTERN",
            help="names to show, as a shell writes them ('peach*'), each with all that is below it; everything "
            "by default",
        )
        parser.add_argument(
            "-l", "--long", action="store_true", help="add whether it logs, who has locked it, and the value"
        )
        parser.add_argument(
            "--json", action="store_true", help="print each service and endpoint as a JSON object on one line"
        )
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=DEFAULT_TIMEOUT,
            metavar="SECONDS",
            help="how long an answer may take, a value's too (10 by default)",
        )
        parser.add_argument(
            "--quiet-time",
            type=seconds,
            default=DEFAULT_QUIET_TIME,
            metavar="SECONDS",
            help="no more services are expected so long after the last answer (0.5 by default)",
        )

    def __call__(self, args: argparse.Namespace) -> int:
        """Print what is alive, and return the exit status."""
        try:
            nodes = self._nodes(args, choose_broker(args))
        except CommandError as err:
            return err.report(logger)
        except DriplineError as err:
            return command_error(err).report(logger)

        from dragonfly.subcommands.mesh_tree_text import lines, records

        wanted = _wanted_by(args.pattern)
        for line in records(nodes, wanted, args.long) if args.json else lines(nodes, args.long):
            print(line)  # noqa: T201
        return Status.SUCCESS

    def _nodes(self, args: argparse.Namespace, broker: Broker) -> list[Node]:
        from dragonfly.subcommands.mesh_tree import discovered, pruned  # they load pika, which -h does not need
        from dragonfly.subcommands.prober import Prober

        with Prober(broker, "list", args.timeout) as prober:
            nodes = discovered(prober, args.quiet_time)
            _remember(broker, nodes)
            if not nodes:
                raise CommandError(Status.NO_REPLY, "no service answers: nobody is on this broker's mesh")
            chosen = nodes if args.pattern == _EVERYTHING else pruned(nodes, _wanted_by(args.pattern))
            if not chosen:
                raise CommandError(Status.NO_REPLY, f"nothing that is alive has a name like {args.pattern!r}")
            if args.long:
                _ask_values(prober, chosen)
            return chosen


def _wanted_by(pattern: str) -> Callable[[str], bool]:
    return lambda name: fnmatch.fnmatchcase(name, pattern)


def _ask_values(prober: Prober, nodes: list[Node]) -> None:
    readable = [node for root in nodes for node in root.walk() if node.fields.get("get") is True]
    for node, reply in zip(readable, prober.values(node.name for node in readable), strict=True):
        node.value = reply


def _remember(broker: Broker, nodes: list[Node]) -> None:
    """Let completion know what is there."""
    from dragonfly.subcommands.mesh_tree import UNKNOWN
    from dragonfly.subcommands.name_cache import Kind, NameCache

    NameCache(broker).write(
        (node.name, Kind(tuple(node.attributes), _settable(node), tuple(node.commands)))
        for root in nodes
        for node in root.walk()
        if node.name != UNKNOWN
    )


def _settable(node: Node) -> tuple[str, ...]:
    return tuple(name for name, can_be_set in node.attributes.items() if can_be_set)

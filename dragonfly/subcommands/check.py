"""The verb that looks for what is wrong with config files: check."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dragonfly.core.broker_address import Broker, parsed_addresses
from dragonfly.core.exceptions import DriplineError
from dragonfly.subcommands.broker_choice import environment_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.whole_service import whole_service

if TYPE_CHECKING:
    from dragonfly.core.message import ReplyMessage
    from dragonfly.loader.config import Place

logger = logging.getLogger(__name__)

# How long a name that nobody has may take to say so, s; a service that starts waits as long.
_PATIENCE = 1.0
_TIMEOUT = 10.0
# So many names of one owner are named.
_SHOWN = 3


class _Checked(NamedTuple):
    """A file without problems: its names and where they stand, by mesh and broker."""

    file: str
    broker: Broker
    mesh: str
    places: dict[str, Place]


class Check:
    """Look for all that is wrong with config files; what they describe is made, and nothing is started."""

    example = "dragonfly check -c examples/kv_store_tutorial.yaml"
    takes_many_configs = True
    failure_status = Status.BAD_CONFIG

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument(
            "--live", action="store_true", help="also ask the mesh whether somebody serves one of the names already"
        )

    def __call__(self, args: argparse.Namespace) -> int:
        """Print what is wrong, and return the exit status."""
        if not args.config:
            logger.error("check needs at least one config file: dragonfly check -c FILE...")
            return Status.USAGE
        try:
            return self._checked(list(dict.fromkeys(args.config)), args)
        except CommandError as err:
            return err.report(logger)
        except DriplineError as err:
            return command_error(err).report(logger)

    def _checked(self, files: list[str], args: argparse.Namespace) -> Status:
        from dragonfly.loader.catalogue import reused_names

        problems = reused_names()
        good: list[_Checked] = []
        for file in files:
            problems += _look_at(file, args.broker, good)
        clashes = list(_used_twice(good))
        for sentence in problems + [sentence for _, sentence in clashes]:
            logger.error("%s", sentence)
        taken = list(_taken(good)) if args.live else []
        for _, sentence in taken:
            logger.error("%s", sentence)
        at_fault = {file for file, _ in clashes + taken}
        for checked in good:
            if checked.file not in at_fault:
                print(f"{checked.file}: no problems, {_counted(len(checked.places) - 1)}")  # noqa: T201
        if problems or clashes:
            return Status.BAD_CONFIG
        return Status.NOT_SERVING if taken else Status.SUCCESS


def _look_at(file: str, option: str | None, good: list[_Checked]) -> list[str]:
    """Return the problems of a file; where it has none, add it to the good ones."""
    from dragonfly.loader import ConfigError

    try:
        with whole_service(file) as (config, _service):
            broker = option or config.broker or environment_broker()
            good.append(_Checked(file, broker, _mesh(broker), config.places))
    except ConfigError as err:
        return [str(problem) for problem in err.problems]
    return []


def _mesh(broker: Broker) -> str:
    return " ".join(f"{address.display}/{address.virtual_host}" for address in parsed_addresses(broker))


def _used_twice(checked: list[_Checked]) -> Iterator[tuple[str, str]]:
    """Yield file and problem for each name that stands in two files of one mesh."""
    first: dict[tuple[str, str], tuple[str, Place]] = {}
    for each in checked:
        for name, place in each.places.items():
            if (each.mesh, name) not in first:
                first[each.mesh, name] = each.file, place
                continue
            file, other = first[each.mesh, name]
            text = f"the name {name} is used by another file, too: {file}:{other.line} ({other.path})"
            yield each.file, f"{each.file}:{place.line}: {place.path}: {text}"


def _taken(checked: list[_Checked]) -> Iterator[tuple[str, str]]:
    """Ask each mesh for the names of the files, and yield file and problem for each owner of some."""
    from dragonfly.core.exceptions import DriplineError
    from dragonfly.core.requester import is_returned
    from dragonfly.subcommands.prober import Prober

    for each in checked:
        owners: dict[str, list[str]] = {}
        with Prober(each.broker, "check", _TIMEOUT) as prober:
            for name, answer in zip(each.places, prober.ask(list(each.places), "ping", _PATIENCE), strict=True):
                if isinstance(answer, DriplineError):
                    raise answer
                if answer is not None and not is_returned(answer):
                    owners.setdefault(_owner(answer), []).append(name)
        for owner, names in owners.items():
            yield each.file, f"{each.file}: {_listed(names)} already served by {owner}"


def _owner(answer: ReplyMessage) -> str:
    info = answer.sender_info
    who = f"{info.get('username', 'somebody')} on {info.get('hostname', 'some host')} ({info.get('exe', 'unknown')})"
    return f"{answer.service_name} of {who}" if answer.service_name else who


def _listed(names: list[str]) -> str:
    if len(names) > _SHOWN:
        return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more names are"
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _counted(number: int) -> str:
    return "1 endpoint" if number == 1 else f"{number} endpoints"

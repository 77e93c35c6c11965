"""The verb that looks for what is wrong with config files: check.

Rules:
1. Every file is looked at, and every mesh that can be asked is asked, whatever is wrong with the others.
2. What is wrong with the files goes before what is wrong with the command line, this before a name that is taken, and
   this before a mesh that cannot be asked: the first of them is the exit status.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dragonfly.core.broker_address import Broker, mesh_of
from dragonfly.core.exceptions import DriplineError
from dragonfly.subcommands.broker_choice import preferred_broker
from dragonfly.subcommands.exit_status import Status, command_error
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
_ORDER = (Status.BAD_CONFIG, Status.USAGE, Status.NOT_SERVING)


class _Checked(NamedTuple):
    """A file without problems: its names and where they stand, by mesh and broker; no mesh where that is unknown."""

    file: str
    broker: Broker
    mesh: str | None
    places: dict[str, Place]


class _Finding(NamedTuple):
    """Something that is wrong: in which good file, if in one, and the exit status that it makes."""

    sentence: str
    status: Status = Status.BAD_CONFIG
    file: str = ""


class Check:
    """Look for all that is wrong with config files; what they describe is made, and nothing is started."""

    example = "dragonfly check -c examples/kv_store_tutorial.yaml"
    takes_many_configs = True

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

        from dragonfly.loader.catalogue import reused_names

        good: list[_Checked] = []
        found = [_Finding(sentence) for sentence in reused_names()]
        for file in dict.fromkeys(args.config):
            found += _look_at(file, args.broker, good)
        found += _used_twice(good)
        if args.live:
            found += _taken(good)
        for sentence in dict.fromkeys(finding.sentence for finding in found):
            logger.error("%s", sentence)
        _praise(good, {finding.file for finding in found})
        statuses = {finding.status for finding in found}
        return next((status for status in _ORDER if status in statuses), max(statuses, default=Status.SUCCESS))


def _look_at(file: str, option: str | None, good: list[_Checked]) -> Iterator[_Finding]:
    """Yield what is wrong with a file; where it has no problems, add it to the good ones."""
    from dragonfly.loader import ConfigError

    try:
        with whole_service(file) as (config, _service):
            broker, places = preferred_broker(option, config.broker), config.places
    except ConfigError as err:
        yield from (_Finding(str(problem)) for problem in err.problems)
        return
    try:
        good.append(_Checked(file, broker, mesh_of(broker), places))
    except DriplineError as err:  # not the file's, which the service has taken
        good.append(_Checked(file, broker, None, places))
        yield _Finding(str(err), Status.USAGE)


def _praise(good: list[_Checked], at_fault: set[str]) -> None:
    for checked in good:
        if checked.file not in at_fault:
            print(f"{checked.file}: no problems, {_counted(len(checked.places) - 1)}")  # noqa: T201


def _used_twice(checked: list[_Checked]) -> Iterator[_Finding]:
    """Yield a finding for each name that stands in two files of one mesh."""
    first: dict[tuple[str | None, str], tuple[str, Place]] = {}
    for each in checked:
        for name, place in each.places.items():
            if (each.mesh, name) not in first:
                first[each.mesh, name] = each.file, place
                continue
            file, other = first[each.mesh, name]
            text = f"the name {name} is used by another file, too: {file}:{other.line} ({other.path})"
            yield _Finding(f"{each.file}:{place.line}: {place.path}: {text}", file=each.file)


def _taken(checked: list[_Checked]) -> Iterator[_Finding]:
    """Ask each mesh for the names of the files, and yield a finding for each owner of some."""
    failed: dict[str, DriplineError] = {}  # nor are others asked where one could not be
    for each in checked:
        if each.mesh is None:
            continue
        user_and_place = repr(each.broker)
        if user_and_place not in failed:
            try:
                yield from _owned(each)
                continue
            except DriplineError as err:
                failed[user_and_place] = err
        error = command_error(failed[user_and_place])
        yield _Finding(f"{each.file}: its names are not looked for: {error}", error.status, each.file)


def _owned(checked: _Checked) -> Iterator[_Finding]:
    """Ask a mesh for the names of a file, and yield a finding for each owner of some.

    Raises:
        DriplineError: the mesh cannot be asked.
    """
    from dragonfly.core.requester import is_returned
    from dragonfly.subcommands.prober import Prober

    owners: dict[str, list[str]] = {}
    silent: list[str] = []
    with Prober(checked.broker, "check", _TIMEOUT) as prober:
        for name, answer in zip(checked.places, prober.ask(list(checked.places), "ping", _PATIENCE), strict=True):
            if isinstance(answer, DriplineError):
                raise answer
            if answer is None:
                silent.append(name)
            elif not is_returned(answer):
                owners.setdefault(_owner(answer), []).append(name)
    if silent:
        what = f"somebody receives what is sent to {_listed(silent)} and does not answer within {_PATIENCE:g} s"
        logger.warning("%s: %s: a service that hangs, or a monitor of requests", checked.file, what)
    for owner, names in owners.items():
        text = f"{_listed(names)} {'is' if len(names) == 1 else 'are'} already served by {owner}"
        yield _Finding(f"{checked.file}: {text}", Status.NOT_SERVING, checked.file)


def _owner(answer: ReplyMessage) -> str:
    info = answer.sender_info
    who = f"{info.get('username', 'somebody')} on {info.get('hostname', 'some host')} ({info.get('exe', 'unknown')})"
    return f"{answer.service_name} of {who}" if answer.service_name else who


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_SHOWN])} and {more} more names"


def _counted(number: int) -> str:
    return "1 endpoint" if number == 1 else f"{number} endpoints"

"""What a shell offers at TAB: subcommands, options, files, and the names that were alive when somebody looked last.

Rules:
1. A person waits for it: no connection is made and the AMQP library is not loaded. The names come from a cache.
2. A cache that is old is used all the same, and a process of its own refreshes it: the next TAB has the news.
3. Whatever goes wrong, there is nothing to offer, and nothing is printed into somebody's half-typed line.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from argcomplete.completers import BaseCompleter
from argcomplete.finders import CompletionFinder
from argcomplete.lexers import split_line

from dragonfly.command_parser import CommandParser
from dragonfly.core.broker_address import Broker
from dragonfly.core.constants import BROADCAST
from dragonfly.subcommands import ALL_VERBS, PROGRAM
from dragonfly.subcommands.broker_choice import preferred_broker
from dragonfly.subcommands.exit_status import Status
from dragonfly.subcommands.name_cache import Kind, NameCache

# So old a cache is refreshed, s.
_OLD = 20.0
_FOR_ALL = Kind(commands=("lock", "ping", "set_condition", "unlock"))
# The options whose words are names of files, and the arguments that are names of the mesh, by their names in a verb.
_FILES = ("config", "auth_file")
_NAMES = ("target", "pattern")
# Python would look first into the folder in which somebody presses TAB: this package and no other is to be run.
_LIST = "import sys; sys.path[0] = sys.argv.pop(1); from dragonfly.cli import entry; entry()"


def complete(verb_of: Callable[[str], Any], parser_of: Callable[[str, Any], CommandParser]) -> None:
    """Answer the shell that has set _ARGCOMPLETE, and end the process.

    Args:
        verb_of: returns a verb by its name.
        parser_of: returns the parser of a verb, whose help begins with the text that it is given.
    """
    try:
        begin = int(os.environ["_ARGCOMPLETE"])  # so many words are the program: python -m dragonfly has three
        words = split_line(os.environ["COMP_LINE"], int(os.environ["COMP_POINT"]))[3][begin:]
    except (LookupError, ValueError):  # no shell has called us
        sys.exit(Status.USAGE)
    name = words[0] if words else ""
    if name not in ALL_VERBS:
        parser = CommandParser(PROGRAM)
        parser.add_argument("-V", "--version", action="store_true")
        parser.add_argument("verb", choices=[] if words else list(ALL_VERBS))
    else:
        os.environ["_ARGCOMPLETE"] = str(begin + 1)  # for argcomplete, the verb is the last of them
        verb = verb_of(name)
        parser = parser_of(f"{PROGRAM} {name}", verb)
        _teach(parser, name, verb)
    _Finder()(parser, always_complete_options=False, default_completer=_Nothing())


class _Finder(CompletionFinder):
    def filter_completions(self, completions: list[str]) -> list[str]:
        """Return what is offered, each once; argcomplete itself takes half a second for ten thousand names."""
        return list(dict.fromkeys(completions))


def _teach(parser: CommandParser, name: str, verb: Any) -> None:
    """Tell each option and argument of a verb what its words can be."""
    own = getattr(verb, "words_for", lambda _argument: None)
    for action in parser._actions:
        words = own(action.dest)
        if action.dest in _FILES:
            action.completer = _files  # type: ignore[attr-defined]
        elif words is not None:
            action.completer = _fixed(words)  # type: ignore[attr-defined]
        elif action.dest in _NAMES:
            action.completer = _Targets(name)  # type: ignore[attr-defined]
        elif action.dest == "values":
            action.completer = _Values(name)  # type: ignore[attr-defined]


class _Nothing(BaseCompleter):
    def __call__(self, **_ignored: Any) -> list[str]:
        """Return no words: what nobody knows anything about is no file either."""
        return []


def _fixed(words: Iterable[str]) -> Callable[..., list[str]]:
    return lambda **_ignored: list(words)


def _files(prefix: str, **_ignored: Any) -> list[str]:
    """Return the files and folders that a path may go on to."""
    folder, beginning = os.path.split(prefix)
    try:
        entries = list(os.scandir(os.path.expanduser(folder) or "."))
    except OSError:
        return []
    shown = (entry for entry in entries if beginning.startswith(".") or not entry.name.startswith("."))
    return [os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "") for entry in shown]


class _Targets:
    """Names, and after a dot what can be asked of them.

    Args:
        verb: for which the target is.
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __call__(self, prefix: str, parsed_args: argparse.Namespace, **_ignored: Any) -> list[str]:
        """Return what the shell may offer."""
        known = _known_names(parsed_args)
        # Alone it would be filled in without a word: the one target that reaches all.
        if self._verb not in ("list", "run", "send") and (known or prefix.startswith(BROADCAST)):
            known.setdefault(BROADCAST, _FOR_ALL)
        target, dot, _ = prefix.partition(".")
        if dot:
            return _dotted(self._verb, target, known)
        names = [name for name in known if name.startswith(prefix)]
        # A cmd is not complete without its command.
        return _dotted(self._verb, names[0], known) if self._verb == "cmd" and len(names) == 1 else names


class _Values:
    """The first word after a target: an attribute or a command, as the tutorial's era wrote them.

    Args:
        verb: for which the word is.
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __call__(self, parsed_args: argparse.Namespace, **_ignored: Any) -> tuple[str, ...]:
        """Return what the shell may offer."""
        target = getattr(parsed_args, "target", None) or ""
        if "." in target or getattr(parsed_args, "values", None):
            return ()
        return _specifiers(self._verb, _known_names(parsed_args).get(target, Kind()))


def _dotted(verb: str, target: str, known: dict[str, Kind]) -> list[str]:
    return [f"{target}.{word}" for word in _specifiers(verb, known.get(target, Kind()))]


def _specifiers(verb: str, kind: Kind) -> tuple[str, ...]:
    by_verb = {"get": kind.attributes, "config": kind.attributes, "set": kind.settable, "cmd": kind.commands}
    return by_verb.get(verb, ())


def _known_names(args: argparse.Namespace) -> dict[str, Kind]:
    """Return the names of the mesh that a command line is about, and see to it that they do not grow old."""
    try:
        broker = _broker(args)
    except (OSError, ValueError, RuntimeError):  # a file that is not there, or is not understood: not localhost's names
        return {}
    cache = NameCache(broker)
    if cache.claim_refresh(_OLD):
        _refresh(args)
    return cache.read()


def _broker(args: argparse.Namespace) -> Broker:
    """Return the broker of a command line.

    Raises:
        OSError, ValueError, RuntimeError: its config file cannot be read as text, or only by what reads YAML, which
            takes longer than TAB may.
    """
    option, path = getattr(args, "broker", None), getattr(args, "config", None)
    if option is not None or not isinstance(path, str):
        return preferred_broker(option, None)

    from dragonfly.subcommands.broker_line import broker_in_text  # for those who name a file

    return preferred_broker(None, broker_in_text(Path(path).expanduser().read_text(encoding="utf-8")))


def _refresh(args: argparse.Namespace) -> None:
    """Start `dragonfly list`, which writes the cache, as a process that nobody waits for."""
    option, path, auth_file = (getattr(args, name, None) for name in ("broker", "config", "auth_file"))
    words = [f"--config={os.path.expanduser(path)}"] if option is None and isinstance(path, str) else []
    # By the environment, since a URL may hold a password, and everybody sees the words of a process.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("_ARGCOMPLETE", "COMP_"))}
    given = {"DRAGONFLY_BROKER": option, "DRAGONFLY_AUTH_FILE": auth_file}
    environment.update({key: value for key, value in given.items() if value is not None})
    with contextlib.suppress(OSError, MemoryError):  # of processes there may be too many
        subprocess.Popen(
            [sys.executable, "-c", _LIST, str(Path(__file__).parent.parent), "list", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

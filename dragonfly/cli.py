"""The program `dragonfly`: finds the verb, parses its options, shows the log, returns an exit status.

A verb's module is imported when the verb is used, and only its own parser is built: a get in a shell loop
should cost what its request costs.
"""

from __future__ import annotations

import argparse
import errno
import gc
import importlib
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import dragonfly
from dragonfly import early_interrupt
from dragonfly.command_parser import CommandParser
from dragonfly.core.credentials import auth_file
from dragonfly.core.near_miss import did_you_mean
from dragonfly.status_log_handlers.console import console
from dragonfly.subcommands import ALL_VERBS, MORE_VERBS, PROGRAM, VERBS
from dragonfly.subcommands.exit_status import Status

logger = logging.getLogger(__name__)

_OPTIONS_OF_VERBS = ("-v", "-b", "-c", "-t", "--verbose", "--broker", "--config", "--tmux", "--no-slack")
_VERBOSITY_FOR_TRACEBACKS = 2
# What a full disk says, a quota, a file that may not grow, and a disk that fails.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def entry() -> None:
    """Run the command line of this process, and leave with its status."""
    if "_ARGCOMPLETE" in os.environ:  # a shell asks how its command line could go on
        from dragonfly.completer import complete

        complete(_verb, _verb_parser)
    leave(main())


def leave(status: int) -> None:
    """End the process."""
    # It ends already: an impatient second Ctrl-C shall not make a failure of that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Python's last collection over all that the AMQP library loaded takes a tenth of a get's whole time (14 ms of 113,
    # tests/bench command_get), and nothing is left that it would have to close.
    gc.freeze()
    sys.exit(status)


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Args:
        argv: the words after the program's name; those of this process by default.
    """
    return guarded(_run, argv)


def guarded(run: Callable[[list[str]], int], argv: list[str] | None = None) -> int:
    """Run what understands the words of a command line, prepared for what streams and signals can do to it."""
    words = sys.argv[1:] if argv is None else list(argv)
    _prepare_streams()
    try:
        status = run(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `| head`: the reader has seen enough
        return Status.SUCCESS
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    except (Exception, SystemExit) as err:  # noqa: BLE001 -- the last resort of what no verb does, such as the help
        with console(0):
            logger.error("%s", _unforeseen(err))
        return Status.FAILED
    finally:
        _let_go_of_stdout()


def _run(words: list[str]) -> int:
    first = words[0] if words else ""
    if first in ALL_VERBS:
        return run_verb(f"{PROGRAM} {first}", _verb(first), words[1:])
    if first in ("-V", "--version"):
        print(dragonfly.__version__)  # noqa: T201
        return Status.SUCCESS
    parser = _program_parser()
    if first in ("-h", "--help", "help"):
        parser.print_help()
        return Status.SUCCESS
    parser.complain(_what_is_wrong(words))
    return Status.USAGE


def _verb(name: str) -> Any:
    module, class_name, _ = ALL_VERBS[name]
    return getattr(importlib.import_module(f"dragonfly.subcommands.{module}"), class_name)()


def run_verb(program: str, verb: Any, words: list[str]) -> int:
    """Have a verb do what the words after it say, and return the exit status.

    Args:
        program: how its help calls it.
    """
    parser = _verb_parser(program, verb)
    try:
        args = parser.parse(words)
    except SystemExit as leave:  # argparse has printed the help, the version, or what is wrong
        return int(leave.code or 0)
    if args.tmux is not None:
        from dragonfly.tmux import InTmux  # for those who use it

        verb = InTmux([*program.split()[1:], *parser.without(words, "-t")])
    return _call(verb, args)


def _call(verb: Any, args: argparse.Namespace) -> int:
    with console(args.verbose), auth_file(args.auth_file):
        try:
            early_interrupt.raise_again()
            status = int(verb(args))
            sys.stdout.flush()
            return status
        except BrokenPipeError:
            raise
        except (Exception, SystemExit) as err:
            # The last resort: whatever a verb did not foresee is one sentence, too.
            trace = args.verbose >= _VERBOSITY_FOR_TRACEBACKS
            logger.error("%s", _unforeseen(err), exc_info=trace)
            _let_go_of_stdout()
            return int(getattr(verb, "failure_status", Status.FAILED))


def _unforeseen(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"the output cannot be written: {error.strerror}"
    return f"unexpected {type(error).__name__}: {error}"


def _verb_parser(program: str, verb: Any) -> CommandParser:
    parser = CommandParser(program)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="increases terminal output verbosity")
    parser.add_argument(
        "-V", "--version", action="version", version=dragonfly.__version__, help="display dripline version"
    )
    parser.add_argument(
        "-b",
        "--broker",
        nargs="?",
        const="localhost",
        help="network path for the AMQP broker, if not provided (and if a config file is provided) use the "
        'value from the config file; if the option is present with no argument then "localhost" is used',
    )
    many: dict[str, Any] = {"nargs": "*", "action": "extend"} if getattr(verb, "takes_many_configs", False) else {}
    parser.add_argument("-c", "--config", help="path (absolute or relative) to configuration file", **many)
    parser.add_argument(
        "-t", "--tmux", nargs="?", const="", help="enable running in, and optionally naming, a tmux session"
    )
    parser.add_argument(
        "--no-slack", action="store_true", help="disable the status log handler to post critical messages to slack"
    )
    verb.update_parser(parser, parser.more_options)
    parser.more_options.add_argument(
        "--auth-file",
        metavar="FILE",
        help="file that says who we are to the broker (DRAGONFLY_AUTH_FILE by default, and "
        "~/.project8_authentications.json without it)",
    )
    parser.example = getattr(verb, "example", "")
    return parser


def _program_parser() -> CommandParser:
    parser = CommandParser(PROGRAM)
    verbs = parser.add_subparsers(
        title="subcommands", description="detailed help is available for each subcommand", prog=PROGRAM
    )
    for name, (_, _, sentence) in VERBS.items():
        verbs.add_parser(name, help=sentence)
    parser.list_in_group("more subcommands", {name: sentence for name, (_, _, sentence) in MORE_VERBS.items()})
    parser.example = "dragonfly get peaches"
    return parser


def _what_is_wrong(words: list[str]) -> str:
    if not words:
        return "a subcommand is missing"
    first = words[0]
    if first.startswith(_OPTIONS_OF_VERBS):
        verb = next((word for word in words if word in ALL_VERBS), "get")
        return f"{first} belongs after the subcommand: {PROGRAM} {verb} ... {first}"
    advice = did_you_mean(first, ALL_VERBS, f"{PROGRAM} -h lists them")
    return f"there is no subcommand {first!r}{advice}"


def _prepare_streams() -> None:
    """Let neither a closed stream nor a letter that the terminal's encoding lacks be a reason to fail."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 -- as long as the program
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_stdout() -> None:
    """Keep the interpreter from failing, at its end, on what could not be written: it has been reported."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""Requests to all services at once: which they are, and the question before they are sent."""

from __future__ import annotations

import logging
import sys

from dragonfly.core.constants import BROADCAST
from dragonfly.core.routing import split
from dragonfly.subcommands.exit_status import CommandError, Status

logger = logging.getLogger(__name__)

# What every service understands, and what is sent every day.
_UNASKED = ("ping", "lock", "unlock", "set_condition")
_QUESTION = "You are about to send a broadcast to all services, are you sure?[y/n] "
_YES = ("y", "yes")


def is_broadcast(target: str) -> bool:
    """Tell whether a target stands for all services."""
    return split(target)[0] == BROADCAST


def check_consent(specifier: str) -> None:
    """Ask whether a broadcast shall be sent, unless its specifier is one that is sent every day.

    The status of a broadcast that was not wanted is that of Ctrl-C, not success: in `dragonfly ... && ...` what follows
    would go on as if all services had been told.

    Raises:
        CommandError: the answer is not yes, or nobody is there to be asked.
    """
    if specifier in _UNASKED:
        return
    if not _is_terminal():
        raise CommandError(
            Status.USAGE,
            "a broadcast to all services is asked about on a terminal, and this is none: --yes sends it without asking",
        )
    if _answer().strip().lower() not in _YES:
        logger.warning("nothing was sent")
        raise CommandError(Status.INTERRUPTED)


def _is_terminal() -> bool:
    # The question goes to stderr: stdout may be read by a program.
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _answer() -> str:
    """Return what the person types; nothing at the end of the input and at Ctrl-C."""
    try:
        sys.stderr.write(_QUESTION)
        sys.stderr.flush()
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    return answer

"""The programs of the first releases, `open_spimescape_portal` and `dripline_agent`, as old scripts call them.

They are the verbs of `dragonfly` in other words: what replaces them is told at INFO, so nobody is disturbed without -v.
"""

from __future__ import annotations

import argparse
import logging
from typing import Any

from dragonfly.cli import guarded, leave, run_verb
from dragonfly.core.constants import COMPLETED_SILENTLY, OP_SET
from dragonfly.core.exceptions import is_error
from dragonfly.core.message import ReplyMessage
from dragonfly.core.near_miss import did_you_mean
from dragonfly.subcommands.agent import Cmd, Config, Get, Request, Run, Send, Set
from dragonfly.subcommands.exit_status import Status
from dragonfly.subcommands.serve import Serve

logger = logging.getLogger(__name__)

_PORTAL = "open_spimescape_portal"
_AGENT = "dripline_agent"
_DONE = "complete"


def portal_entry() -> None:
    """Run `open_spimescape_portal`, and leave with its status."""
    leave(portal())


def agent_entry() -> None:
    """Run `dripline_agent`, and leave with its status."""
    leave(agent())


def portal(argv: list[str] | None = None) -> int:
    """Serve a config file, and return the exit status; `argv` as in `dragonfly.cli.main`."""
    return guarded(lambda words: run_verb(_PORTAL, _Portal(), words), argv)


def agent(argv: list[str] | None = None) -> int:
    """Send one request, and return the exit status; `argv` as in `dragonfly.cli.main`."""
    return guarded(lambda words: run_verb(_AGENT, _Agent(), words), argv)


class _Portal(Serve):
    """`dragonfly serve` under its old name."""

    example = f"{_PORTAL} -c examples/kv_store_tutorial.yaml"

    def __call__(self, args: argparse.Namespace) -> int:
        """Say what replaces this program, then do it."""
        logger.info("%s is an old name: dragonfly serve replaces it", _PORTAL)
        return super().__call__(args)


class _Agent:
    """The request verbs of `dragonfly`; here the verb is one word among others, and options may stand before it."""

    example = f"{_AGENT} -b localhost get peaches"
    failure_status = Status.FAILED

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the program understands: the verb, and what all request verbs have in common."""
        parser.add_argument("verb", type=_verb, metavar=f"{{{','.join(_VERBS)}}}")
        Request().update_parser(parser, more_options)

    def __call__(self, args: argparse.Namespace) -> int:
        """Say what replaces this program, then do it."""
        logger.info("%s is an old name: dragonfly %s replaces it", _AGENT, args.verb)
        request: Request = _VERBS[args.verb]()
        return request(args)


class _RawText(Request):
    """A request whose answer is printed as the first releases did: the raw value, or that all is done."""

    def text(self, reply: ReplyMessage, args: argparse.Namespace) -> str:
        """Return what is printed of a reply."""
        if args.pretty_print:
            return super().text(reply, args)
        return f"{'->'.join([args.target, *args.values])}: {self._outcome(reply)}"

    def remark(self, reply: ReplyMessage) -> str:
        """Return what a person is told beside it; that there is nothing to tell is said by `complete` already."""
        return "" if reply.return_msg == COMPLETED_SILENTLY else reply.return_msg

    def _outcome(self, reply: ReplyMessage) -> Any:
        if is_error(reply.retcode):
            return f"failed (ret:{reply.retcode})"
        return _DONE if self.operation == OP_SET else _raw(reply.payload)


def _raw(payload: dict[str, Any]) -> Any:
    if "value_raw" in payload:
        return payload["value_raw"]
    values = payload.get("values")
    if payload.keys() != {"values"} or not isinstance(values, list) or len(values) != 1:
        return payload
    return _DONE if values[0] is None else values[0]


def _verb(word: str) -> str:
    if word not in _VERBS:
        advice = did_you_mean(word, _VERBS, f"they are {', '.join(_VERBS)}")
        raise argparse.ArgumentTypeError(f"there is no verb {word!r}{advice}")
    return word


_VERBS: dict[str, Any] = {
    cls.__name__.lower(): type(cls.__name__, (_RawText, cls), {}) for cls in (Get, Set, Config, Run, Cmd, Send)
}

"""The verb that says when data do not show up: watchdog."""

from __future__ import annotations

import argparse
import logging
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dragonfly.core.constants import ALERTS, LEVEL_NOTICE
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError
from dragonfly.core.waker import SLICE_SECONDS
from dragonfly.status_log_handlers import Source, beside_the_terminal
from dragonfly.subcommands.broker_choice import choose_broker
from dragonfly.subcommands.exit_status import CommandError, Status, command_error
from dragonfly.subcommands.expected_data import ExpectedData
from dragonfly.subcommands.pause import pause_until
from dragonfly.subcommands.routing_key import check_binding_key
from dragonfly.subcommands.seconds import seconds
from dragonfly.subcommands.signals import Terminated, interrupted_by_sigterm
from dragonfly.subcommands.topic import matcher

if TYPE_CHECKING:
    from dragonfly.core.listener import Listener
    from dragonfly.subcommands.data_page import DataPage

logger = logging.getLogger(__name__)

_EVERYTHING = "#"
MAX_AGE, INTERVAL, REPEAT = 600.0, 60.0, 3600.0  # s


class Watchdog:
    """Say when data have not shown up for some time, and when they are back, until Ctrl-C."""

    example = "dragonfly watchdog -k 'sensor_value.#' --max-age 300"

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        add = more_options.add_argument
        add(
            "-k",
            "--keys",
            metavar="keys",
            nargs="*",
            default=[],
            help="binding keys of alerts, each of which must keep matching some (all alerts by default)",
        )
        add("--url", help="ask a web address for data, by a POST with start_time and stop_time, instead of alerts")
        text = "how old the latest data may be (600 by default)"
        add("--max-age", metavar="SECONDS", type=seconds, default=MAX_AGE, help=text)
        text = "how often that is looked at (60 by default)"
        add("--interval", metavar="SECONDS", type=seconds, default=INTERVAL, help=text)
        text = "how often it is said that data are still missing (3600 by default)"
        add("--repeat", metavar="SECONDS", type=seconds, default=REPEAT, help=text)
        text = "look once, for --max-age at most, and exit with status 1 where something is missing"
        add("--once", action="store_true", help=text)
        text = "post to this Slack channel, too, that data are missing"
        add("--slack-channel", metavar="CHANNEL", default="", help=text)

    def __call__(self, args: argparse.Namespace) -> int:
        """Watch until the person wants no more, or look once, and return the exit status."""
        channel = "" if args.no_slack else args.slack_channel
        with interrupted_by_sigterm(), beside_the_terminal(Source("watchdog", slack_channel=channel)):
            try:
                return _watch(args)
            except CommandError as err:
                return err.report(logger)
            except DriplineAMQPConnectionError as err:
                # Nothing can be watched: whoever relies on it must know.
                return command_error(err).report(logger, logging.CRITICAL)
            except DriplineError as err:
                return command_error(err).report(logger)
            except Terminated:
                logger.warning("received SIGTERM... exiting")
            except KeyboardInterrupt:
                logger.warning("received <Ctrl+c>... exiting")
        # Who looks only once asks whether all is well, which is not known then.
        return Status.INTERRUPTED if args.once else Status.SUCCESS


def _watch(args: argparse.Namespace) -> int:
    if args.url is None:
        return _watch_alerts(args)
    if args.keys:
        raise CommandError(Status.USAGE, "-k is about alerts and --url about a web address: give one of them")

    from dragonfly.subcommands.data_page import DataPage  # it loads urllib, which -h does not need

    try:
        page = DataPage(args.url, args.max_age)
    except ValueError as err:
        raise CommandError(Status.USAGE, f"--url: {err}") from err
    logger.info("starting to watch %s, which is asked every %g s", page.name, args.interval)
    return _look_once_at_page(page) if args.once else _watch_page(page, args)


def _watch_alerts(args: argparse.Namespace) -> int:
    keys = list(dict.fromkeys(args.keys)) or [_EVERYTHING]
    try:
        for key in keys:
            check_binding_key(key)
    except ValueError as err:
        raise CommandError(Status.USAGE, str(err)) from err
    broker = choose_broker(args)

    from dragonfly.core.listener import Listener  # it loads pika, which -h does not need

    listener = Listener(broker, ALERTS, keys, f"watchdog@{socket.gethostname()}")
    try:
        listener.start()
        quoted = ", ".join(map(repr, keys))
        logger.info("starting to watch alerts %s, none of which may be away for %g s", quoted, args.max_age)
        return _look_once(listener, keys, args.max_age) if args.once else _watch_keys(listener, keys, args)
    finally:
        listener.stop()


def _look_once(listener: Listener, keys: list[str], max_age: float) -> int:
    """Wait until there was an alert for each key, or until its time is over."""
    missing: dict[str, Callable[[str], bool]] = {key: matcher(key) for key in keys}
    deadline = time.monotonic() + max_age
    while missing and (left := deadline - time.monotonic()) > 0:
        delivery = listener.next(min(left, SLICE_SECONDS))  # see Waker
        if delivery is not None:
            missing = {key: matches for key, matches in missing.items() if not matches(delivery.routing_key)}
    for key in missing:
        _say_missing(key, max_age)
    return Status.FAILED if missing else Status.SUCCESS


def _watch_keys(listener: Listener, keys: list[str], args: argparse.Namespace) -> int:
    now = time.monotonic()
    watched = [(ExpectedData(key, args.repeat, now), matcher(key)) for key in keys]
    due = now + args.interval
    while True:
        delivery = listener.next(min(max(0.0, due - time.monotonic()), SLICE_SECONDS))
        now = time.monotonic()
        if delivery is not None:
            for data, matches in watched:
                if matches(delivery.routing_key):
                    _say_back(data, "alerts" if data.name == _EVERYTHING else repr(data.name), now)
        if now >= due:  # looked at here, too, where alerts never cease to come
            due = now + args.interval
            for data, _ in watched:
                if data.age(now) > args.max_age and data.must_be_told(now):
                    _say_missing(data.name, data.age(now))


def _say_missing(key: str, age: float) -> None:
    which = "" if key == _EVERYTHING else f" {key!r}"
    logger.critical("no alert%s has come for %s s", which, _shown(age))


def _say_back(data: ExpectedData, what: str, now: float) -> None:
    missing = data.came(now)
    if missing is not None:
        logger.log(LEVEL_NOTICE, "data again: %s, after %s s", what, _shown(missing))


def _look_once_at_page(page: DataPage) -> int:
    problem = page.problem()
    if problem is not None:
        logger.critical("%s: %s", page.name, problem)
    return Status.SUCCESS if problem is None else Status.FAILED


def _watch_page(page: DataPage, args: argparse.Namespace) -> int:
    data = ExpectedData(page.name, args.repeat, time.monotonic())
    while True:
        due = time.monotonic() + args.interval
        problem = page.problem()
        now = time.monotonic()
        if problem is None:
            _say_back(data, page.name, now)
        elif data.must_be_told(now):
            logger.critical("%s: %s", page.name, problem)
        pause_until(due)


def _shown(age: float) -> str:
    return f"{age:.0f}" if age >= 10 else f"{age:.2g}"

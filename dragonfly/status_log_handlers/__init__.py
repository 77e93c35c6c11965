"""Where log records go: to the terminal (console.py), and those of services and watchdogs to the PLACES besides.

A place is a module with a function `handler(source)`, which returns a logging.Handler, or None where the source wants
none there. The verb closes it at its end, which may take a moment, but not long.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)

PLACES = ("amqp", "slack")
# What a record does that cannot be put into words: its values do not fit its text, or are nested too deeply.
UNSAYABLE = (TypeError, ValueError, OverflowError, LookupError, RecursionError)


class Source(NamedTuple):
    """Whose records they are, and what it says about where they go.

    Args:
        name: the service, or the verb.
        send_alert: what sends an alert, given its routing key and its payload; None where that cannot be.
        status_alerts: whether records go out as alerts.
        slack_channel: the channel for critical records; empty where they do not go to Slack.
    """

    name: str
    send_alert: Callable[[str, Any], None] | None = None
    status_alerts: bool = False
    slack_channel: str = ""


class PlaceHandler(logging.Handler):
    """Takes records to a place; one that cannot go there is a sentence in the log."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say which record is missing there, and why."""
        place, why = type(self).__module__.rpartition(".")[2], sys.exc_info()[1]
        logger.warning("what %s(%d) logged does not go to %s: %s", record.name, record.lineno, place, why)


@contextmanager
def beside_the_terminal(source: Source) -> Iterator[None]:
    """Send the records of this package to every place that a source wants, while the context lasts."""
    package = logging.getLogger("dragonfly")
    with ExitStack() as attached:
        for place in PLACES:
            handler = importlib.import_module(f"{__name__}.{place}").handler(source)
            if handler is not None:
                package.addHandler(handler)
                attached.callback(handler.close)
                attached.callback(package.removeHandler, handler)
        yield

"""Where log records go: to the terminal (console.py), and those of services and watchdogs to the PLACES besides.

A place is a module with a function `handler(source)`, which returns a logging.Handler, or None where the source wants
none there. The verb closes it at its end, which may take a moment, but not long.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

PLACES = ("amqp", "slack")


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


@contextmanager
def beside_the_terminal(source: Source) -> Iterator[None]:
    """Send the records of this package to every place that a source wants, while the context lasts."""
    logger = logging.getLogger("dragonfly")
    with ExitStack() as attached:
        for place in PLACES:
            handler = importlib.import_module(f"{__name__}.{place}").handler(source)
            if handler is not None:
                logger.addHandler(handler)
                attached.callback(handler.close)
                attached.callback(logger.removeHandler, handler)
        yield

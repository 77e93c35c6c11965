"""Slack: critical records of a service or a watchdog in a channel, by slack_sdk, which need not be installed."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from dragonfly.core.credentials import CredentialsError, slack_token
from dragonfly.status_log_handlers import UNSAYABLE, PlaceHandler, Source
from dragonfly.status_log_handlers.mailbox import LaterError, Mailbox, RefusedError

logger = logging.getLogger(__name__)

POST_SECONDS = 10.0
# Where another one than Slack's own server is asked: only tests do that.
BASE_URL: str | None = None
_LONGEST_TEXT = 4_000  # characters; Slack advises to stay below
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
# Slack's words for what is wrong; others are such as invalid_auth, not_in_channel.
_A_WORD = re.compile(r"[a-z_]{1,60}")
_TEMPORARY = {"fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable"}


def handler(source: Source) -> logging.Handler | None:
    """Return what posts a source's critical records, where it names a channel, and that can be done."""
    channel = source.slack_channel
    if not channel:
        return None
    try:
        return SlackHandler(f"{source.name} on {socket.gethostname()}", channel, poster(channel, _token()))
    except ImportError:
        reason = "slack_sdk is not installed: pip install slack_sdk"
    except (CredentialsError, RefusedError) as err:
        reason = str(err)
    logger.warning("critical records cannot go to Slack, channel %s: %s", channel, reason)
    return None


class SlackHandler(PlaceHandler):
    """Post critical records, from a thread of its own.

    Args:
        sender: who says so, at the beginning of each text.
        channel: the channel, as messages to people name it.
        post: posts a text; raises LaterError or RefusedError.
    """

    def __init__(self, sender: str, channel: str, post: Callable[[str], None]) -> None:
        super().__init__(logging.CRITICAL)
        self._sender = sender
        self._mailbox = Mailbox(f"Slack's channel {channel}", post)

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record posted; it does not wait for that."""
        try:
            text = record.getMessage()[:_LONGEST_TEXT]
        except UNSAYABLE:
            self.handleError(record)
        else:
            self._mailbox.put(f"{self._sender}: {text}")

    def close(self) -> None:
        """Post what waits; it takes two seconds at most."""
        self._mailbox.stop()
        super().close()


def poster(channel: str, token: str) -> Callable[[str], None]:
    """Return what posts a text to a channel and raises LaterError or RefusedError where it cannot.

    Raises:
        ImportError: slack_sdk is not installed.
    """
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError, SlackClientError

    address: dict[str, Any] = {} if BASE_URL is None else {"base_url": BASE_URL}
    client = WebClient(token, timeout=round(POST_SECONDS), retry_handlers=[], logger=_silent(), **address)

    def post(text: str) -> None:
        try:
            client.chat_postMessage(channel=channel, text=_escaped(text), mrkdwn=False, unfurl_links=False)
        except SlackApiError as err:
            raise _failure(err.response) from err
        except (SlackClientError, OSError, HTTPException, UnicodeDecodeError) as err:
            raise LaterError(f"{type(err).__name__}: {err}") from err
        except ValueError:  # not chained, and not quoted: it may hold the token
            raise RefusedError("the token, or the channel, cannot be sent") from None

    return post


def _token() -> str:
    token = slack_token()
    if token is None:
        raise RefusedError("there is no token, see docs/how_to/slack")
    return token


def _failure(response: Any) -> Exception:
    word = str(response.get("error", ""))
    if response.status_code == _TOO_MANY_REQUESTS:
        wait = str(response.headers.get("Retry-After", ""))
        return LaterError("it gets too many messages", float(wait) if wait.isdecimal() else None)
    if response.status_code >= _SERVER_ERROR or not _A_WORD.fullmatch(word):
        return LaterError(f"what answers with status {response.status_code} has trouble, or is not Slack")
    return LaterError(word) if word in _TEMPORARY else RefusedError(f"Slack says {word}")


def _escaped(text: str) -> str:
    """Return a text in which nothing is a command to Slack, such as one that calls everybody in the channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _silent() -> logging.Logger:
    silent = logging.getLogger("slack_sdk.of_dragonfly")
    silent.propagate = False
    silent.disabled = True
    return silent

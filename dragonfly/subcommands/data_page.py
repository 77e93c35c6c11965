"""A web address that is asked for the data of the last minutes, as the first watchdog did.

Rules:
1. A question has one time for all: looking up the name, connecting, and each byte of the answer. When it is over, its
   sockets are shut, which ends the thread that reads from them.
2. Looking up a name cannot be ended. While a thread still does, no other one is begun.
3. What follows the path may be a key: no text quotes it, nor an error's text that may.
"""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import datetime, timedelta, timezone
from http.client import HTTPException, InvalidURL
from urllib.error import HTTPError
from urllib.parse import SplitResult, urlencode, urlsplit
from urllib.request import Request

from dragonfly.core.constants import TIME_FORMAT
from dragonfly.core.waker import SLICE_SECONDS
from dragonfly.subcommands.web_line import WebLine

ANSWER_SECONDS = 10.0
_END_SECONDS = 0.5
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x20\x7f-\x9f]")


class DataPage:
    """Asks a web address whether there are data: a POST with start_time and stop_time, answered with JSON.

    Args:
        url: the address, http or https.
        max_age: how old data may be, s: start_time is so long before stop_time, which is now.
        answer_seconds: how long an answer may take, s.

    Raises:
        ValueError: the text is no address.
    """

    def __init__(self, url: str, max_age: float, answer_seconds: float = ANSWER_SECONDS) -> None:
        parts = _checked(url)
        self.name = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._url = url
        self._max_age = timedelta(seconds=max_age)
        self._answer_seconds = answer_seconds
        self._no_answer = f"no answer within {answer_seconds:g} s"
        self._ended = threading.Event()
        self._ended.set()

    def problem(self) -> str | None:
        """Ask, and return what is wrong with the answer; None where there are data."""
        _wait(self._ended, _END_SECONDS)
        if not self._ended.is_set():
            return f"{self._no_answer}, nor has the question before come to its end"
        found = [self._no_answer]
        line, self._ended = WebLine(self._answer_seconds), threading.Event()
        ended = self._ended

        def ask() -> None:
            try:
                found.append(self._asked(line))
            finally:
                ended.set()

        # A thread: whatever it waits for, Ctrl-C and the next look do not.
        threading.Thread(target=ask, name=f"asks {self.name}", daemon=True).start()
        try:
            _wait(ended, self._answer_seconds)
            return found[-1] or None
        finally:
            if not ended.is_set():
                line.shut()

    def _asked(self, line: WebLine) -> str:
        stop = datetime.now(timezone.utc)
        times = {"start_time": (stop - self._max_age).strftime(TIME_FORMAT), "stop_time": stop.strftime(TIME_FORMAT)}
        try:
            request = Request(self._url, urlencode(times).encode(), {"Accept": "application/json"})
            with line.open(request) as response:
                answer = response.read(_LARGEST_ANSWER + 1)
        except HTTPError as err:
            err.close()
            return f"it answers with status {err.code}"
        except OSError as err:
            reason = getattr(err, "reason", None) or err
            return self._no_answer if isinstance(reason, TimeoutError) else f"it cannot be asked: {reason}"
        except (InvalidURL, ValueError):
            return "it cannot be asked: its host, or the address that it redirects to, cannot be one"
        except HTTPException as err:
            return f"its answer is not HTTP: {type(err).__name__}"
        return _what_is_wrong(answer)


def _checked(url: str) -> SplitResult:
    expected = "a web address was expected, http://HOST/PATH or https://HOST/PATH, without user and password"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(expected)
    if _BLANK_OR_CONTROL.search(url):
        raise ValueError("a web address was expected, without blanks and control characters: %20 stands for a blank")
    if not (parts.path + parts.query).isascii():
        raise ValueError("a web address was expected, with % and two digits for each byte that is not ASCII")
    if not _is_port(parts):
        raise ValueError("a web address was expected, with a port from 1 to 65535")
    return parts


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _wait(event: threading.Event, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not event.wait(min(left, SLICE_SECONDS)):
        pass  # in slices, for the signals that end a verb: see Waker


def _what_is_wrong(answer: bytes) -> str:
    if len(answer) > _LARGEST_ANSWER:
        return f"its answer is longer than {_LARGEST_ANSWER} bytes"
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        return "its answer is no JSON"
    return "" if data else "it has no data"

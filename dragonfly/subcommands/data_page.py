"""A web address that is asked for the data of the last minutes, as the first watchdog did."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from dragonfly.core.constants import TIME_FORMAT

ANSWER_SECONDS = 10.0
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes


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
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(
                "a web address was expected, http://HOST/PATH or https://HOST/PATH, without user and password"
            )
        # What follows a question mark may be a key.
        self.name = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._url = url
        self._max_age = timedelta(seconds=max_age)
        self._answer_seconds = answer_seconds

    def problem(self) -> str | None:
        """Ask, and return what is wrong with the answer; None where there are data."""
        found = [f"no answer within {self._answer_seconds:g} s"]
        answered = threading.Event()

        def ask() -> None:
            found.append(self._asked())
            answered.set()

        # Looking up a name, or a server that sends a byte a second, would keep Ctrl-C or the next look waiting.
        threading.Thread(target=ask, name=f"asks {self.name}", daemon=True).start()
        answered.wait(self._answer_seconds)
        return found[-1] or None

    def _asked(self) -> str:
        stop = datetime.now(timezone.utc)
        times = {"start_time": (stop - self._max_age).strftime(TIME_FORMAT), "stop_time": stop.strftime(TIME_FORMAT)}
        try:
            request = Request(self._url, urlencode(times).encode(), {"Accept": "application/json"})
            with urlopen(request, timeout=self._answer_seconds) as response:
                answer = response.read(_LARGEST_ANSWER + 1)
        except HTTPError as err:
            err.close()
            return f"it answers with status {err.code}"
        except (OSError, HTTPException, ValueError) as err:
            return f"it cannot be asked: {getattr(err, 'reason', None) or err}"
        return _what_is_wrong(answer)


def _what_is_wrong(answer: bytes) -> str:
    if len(answer) > _LARGEST_ANSWER:
        return f"its answer is longer than {_LARGEST_ANSWER} bytes"
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        return "its answer is no JSON"
    return "" if data else "it has no data"

"""Mailbox: texts to a service of others, from a thread of its own, so that nobody waits for it.

Rules:
1. Whoever puts a text in never waits: what is too much is dropped and counted, and the next post tells the number.
2. A text that comes again within a minute is counted, and told with its number after that minute. It takes no room.
3. What fails is tried again, later and later, and not before the place wants it, until its time is over. Then it is
   given up, with all that waits. What is refused, or fails in a way that nobody foresaw, is given up alone.
4. What is given up is one warning, and no other one before something succeeds.
5. A stop waits two seconds at most; nothing is tried twice then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from dragonfly.status_log_handlers.muting import Muting

logger = logging.getLogger(__name__)

LIMIT = 100
STOP_SECONDS = 2.0
GIVE_UP_SECONDS = 300.0
_FIRST_RETRY = 1.0
_LAST_RETRY = 60.0


class LaterError(Exception):
    """A post failed, and may succeed another time.

    Args:
        reason: why.
        seconds: how long to wait at least, s; None where nobody knows.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class RefusedError(Exception):
    """A post failed, and would always fail."""


class Mailbox:
    """Posts texts one after another.

    Args:
        place: how messages to people name where the texts go.
        post: posts a text; raises LaterError or RefusedError.
        muting: the memory of what was posted.
        give_up_seconds: how long a post is tried, s.
        first_retry: after how long a post is tried again for the first time, s.
    """

    def __init__(
        self,
        place: str,
        post: Callable[[str], None],
        muting: Muting | None = None,
        give_up_seconds: float = GIVE_UP_SECONDS,
        first_retry: float = _FIRST_RETRY,
    ) -> None:
        self._place = place
        self._post = post
        self._muting = muting or Muting()
        self._give_up_seconds = give_up_seconds
        self._first_retry = first_retry
        self._changed = threading.Condition()
        self._texts: deque[str] = deque()
        self._lost = 0
        self._was_told = False
        self._stopping = threading.Event()
        self._ended = threading.Event()
        # A daemon: a server that does not answer must not keep the program from ending.
        threading.Thread(target=self._run, name=f"posts to {place}", daemon=True).start()

    @property
    def lost(self) -> int:
        """How many texts were dropped or given up since the last post that succeeded."""
        return self._lost

    def put(self, text: str) -> None:
        """Have a text posted; any thread, and it does not wait."""
        with self._changed:
            if self._stopping.is_set():
                return
            now = time.monotonic()
            if self._muting.mutes(text, now):
                return
            if self._muting.is_full or len(self._texts) >= LIMIT:
                self._lost += 1
                return
            self._muting.begin(text, now)
            self._texts.append(text)
            self._changed.notify()

    def stop(self) -> None:
        """Post what waits, if that can be done soon; a second call does nothing."""
        with self._changed:
            if self._stopping.is_set():
                return
            self._stopping.set()
            self._changed.notify()
        # Not a join: Python takes a thread for ended whose join was interrupted.
        with suppress(KeyboardInterrupt):  # somebody does not want to wait, not even so long
            self._ended.wait(STOP_SECONDS)

    def _run(self) -> None:
        while (text := self._next()) is not None:
            try:
                self._deliver(text)
            except Exception as err:  # noqa: BLE001 - whatever the library of others does, the next text comes
                self._give_up(f"unexpected {type(err).__name__}")
        self._ended.set()

    def _next(self) -> str | None:
        with self._changed:
            while True:
                is_last = self._stopping.is_set()
                now = time.monotonic()
                muted = self._muting.end_all() if is_last else self._muting.ended(now)
                self._texts.extend(f"{text} (muted {count})" for text, count in muted)
                if self._texts:
                    return self._texts.popleft()
                if is_last:
                    return None
                end = self._muting.next_end()
                self._changed.wait(None if end is None else max(0.0, end - now))

    def _deliver(self, text: str) -> None:
        began, pause = time.monotonic(), self._first_retry
        while True:
            try:
                self._try(text)
                return
            except RefusedError as err:
                self._give_up(str(err))
                return
            except LaterError as err:
                wait = max(pause, err.seconds or 0.0)  # a place that says 0 would be asked without end
                is_over = time.monotonic() + wait > began + self._give_up_seconds
                if is_over or self._stopping.wait(wait):
                    self._give_up(str(err), with_all=is_over)
                    return
            pause = min(2 * pause, _LAST_RETRY)

    def _try(self, text: str) -> None:
        lost = self._lost
        self._post(f"{text} (before this, {lost} were lost)" if lost else text)
        self._was_told = False
        with self._changed:
            self._lost -= lost

    def _give_up(self, reason: str, with_all: bool = False) -> None:
        with self._changed:
            self._lost += 1
            # What waits has waited as long for the same place; at a stop, each text has its one try.
            if with_all and not self._stopping.is_set():
                self._lost += len(self._texts)
                self._texts.clear()
        if not self._was_told:
            self._was_told = True
            logger.warning("%s does not get what it should: %s", self._place, reason)

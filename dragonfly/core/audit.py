"""Audit: who had what done, and how it ended.

Rules:
1. Each set, cmd, run and send, and each config that sets, is one record, whether it was done or refused.
2. No record holds a secret, and what others wrote cannot look like a second record.
3. A file that cannot be written is said once, and tried with each further record; the service goes on.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from datetime import datetime, timezone
from typing import Any

from dragonfly.core.constants import OPERATION_NAMES
from dragonfly.core.masking import masked_payload, printable
from dragonfly.core.message import RequestMessage
from dragonfly.core.request_target import is_reading

logger = logging.getLogger("dragonfly.audit")

# A record is for people to read: of a long value this many characters.
_LONGEST = 200


class Audit:
    """Writes the records of one service.

    Args:
        path: a file that gets them as JSON, one on a line; None is none.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: int | None = None
        self._writing = threading.Lock()
        # How many records the file did not get, since when it cannot be written.
        self._missing = 0

    def open(self) -> None:
        """Open the file, behind what is in it already.

        Raises:
            OSError: it cannot be written.
        """
        if self._path is not None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def close(self) -> None:
        """Close the file."""
        with self._writing:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def record(self, target: str, request: RequestMessage, retcode: int) -> None:
        """Write a record; any thread.

        Args:
            target: the routing key.
            request: what was asked for.
            retcode: how it ended.
        """
        is_logged = logger.isEnabledFor(logging.INFO)
        if is_reading(request.msgop, _values(request.payload)) or not (is_logged or self._file is not None):
            return
        info = request.sender_info
        record = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "user": info.get("username"),
            "host": info.get("hostname"),
            "exe": info.get("exe"),
            "operation": OPERATION_NAMES[request.msgop],
            "target": target,
            "payload": masked_payload(target, request.payload),
            "retcode": retcode,
        }
        if is_logged:
            _log(record)
        # Only ASCII, so that it can be written whatever it holds.
        self._write(f"{json.dumps(record)}\n".encode("ascii"))

    def _write(self, line: bytes) -> None:
        with self._writing:
            if self._file is None:
                return
            # Half a line is on the disk where there was room for no more.
            data = b"\n" + line if self._missing else line
            try:
                while data:
                    data = data[os.write(self._file, data) :]
            except OSError as err:
                if not self._missing:
                    logger.critical("the audit file %s cannot be written: %s", self._path, err.strerror)
                self._missing += 1
                return
            if self._missing:
                logger.warning("the audit file %s is written again: %s records are missing", self._path, self._missing)
                self._missing = 0


def _log(record: dict[str, Any]) -> None:
    user, host, exe = (printable(record[name] or "unknown") for name in ("user", "host", "exe"))
    words = (record["operation"], printable(record["target"], _LONGEST), _shown(record["payload"]))
    logger.info("%s@%s (%s): %s -> %s", user, host, exe, " ".join(filter(None, words)), record["retcode"])


def _values(payload: Any) -> list[Any]:
    values = payload.get("values") if isinstance(payload, dict) else None
    return values if isinstance(values, list) else []


def _shown(payload: Any) -> str:
    """Return a payload as people write it on a command line."""
    if not isinstance(payload, dict):
        return repr(payload)[:_LONGEST]
    words = [repr(value) for value in _values(payload)]
    words += [f"{printable(key)}={value!r}" for key, value in payload.items() if key != "values"]
    return " ".join(words)[:_LONGEST]

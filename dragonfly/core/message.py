"""The four kinds of message, with the attributes that they have on the wire."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import dragonfly
from dragonfly.core.constants import PACKAGE, T_ALERT, T_INFO, T_REPLY, T_REQUEST, TIME_FORMAT
from dragonfly.core.exceptions import is_error


def utc_timestamp() -> str:
    """Return the time as messages carry it: UTC, whole seconds, with Z."""
    return _timestamp(int(time.time()))


@lru_cache(maxsize=1)
def _timestamp(second: int) -> str:
    # Once a second: under load this was a tenth of what a reply cost (tests/bench pipelined_get).
    return datetime.fromtimestamp(second, timezone.utc).strftime(TIME_FORMAT)


def sender_info(service_name: str = "") -> dict[str, str]:
    """Return who sends, with the service's name last, and without it where there is no service."""
    info = dict(_process_info())
    if service_name:
        info["service_name"] = service_name
    return info


@lru_cache(maxsize=1)
def _process_info() -> tuple[tuple[str, str], ...]:
    return (
        ("username", _username()),
        ("exe", os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else sys.executable),
        ("package", PACKAGE),
        ("hostname", _hostname()),
        ("version", dragonfly.__version__),
        ("commit", _commit()),
    )


def _hostname() -> str:
    # This half of core knows no socket, which would be the other way to ask.
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "unknown")


def _username() -> str:
    try:
        import pwd
    except ImportError:  # not a Unix
        return os.environ.get("USERNAME", "unknown")
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _commit() -> str:
    """Return `g<short hash>` of the checkout that this package runs from, read without starting git."""
    git = Path(dragonfly.__file__).resolve().parent.parent / ".git"
    try:
        if git.is_file():  # a linked work tree: the file holds the way to the real directory
            git = git.parent / git.read_text().partition(":")[2].strip()
        head = (git / "HEAD").read_text().strip()
        if head.startswith("ref:"):
            head = _resolve_reference(git, head.partition(":")[2].strip())
    except OSError:
        return "unknown"
    return f"g{head[:7]}" if len(head) >= 40 else "unknown"


def _resolve_reference(git: Path, reference: str) -> str:
    common = git / "commondir"
    roots = [git] if not common.is_file() else [git, git / common.read_text().strip()]
    for root in roots:
        if (root / reference).is_file():
            return (root / reference).read_text().strip()
        packed = root / "packed-refs"
        lines = packed.read_text().splitlines() if packed.is_file() else []
        for line in lines:
            if line.endswith(f" {reference}"):
                return line.split()[0]
    return ""


class Message:
    """What all messages have in common.

    Args:
        payload: what the message is about; any value that JSON can carry.
        timestamp: UTC, as `%Y-%m-%dT%H:%M:%SZ`; now by default.
        sender_info: who sends; this process by default.
        extra: fields of a peer's message that this release does not know.
    """

    msgtype: ClassVar[int]

    def __init__(
        self,
        payload: Any = None,
        *,
        timestamp: str | None = None,
        sender_info: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.payload = payload
        self.timestamp = utc_timestamp() if timestamp is None else timestamp
        self.sender_info = _sender_info() if sender_info is None else sender_info
        self.extra = extra or {}

    @property
    def service_name(self) -> str:
        """Name of the service that sent this message; empty where a client or an older service did."""
        return str(self.sender_info.get("service_name") or "")

    def to_dict(self) -> dict[str, Any]:
        """Return the message's fields as they go on the wire."""
        head = {"msgtype": self.msgtype, "timestamp": self.timestamp, "sender_info": self.sender_info}
        return {**head, **self.content()}

    def content(self) -> dict[str, Any]:
        """Return the fields that follow those of who sent it, and when."""
        return {**self._own_fields(), "payload": self.payload, **self.extra}

    def _own_fields(self) -> dict[str, Any]:
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.to_dict()!r})"


# Inside Message's constructor the parameter hides the function.
_sender_info = sender_info


class RequestMessage(Message):
    """Ask an endpoint to do something.

    Args:
        msgop: the operation, one of the constants OP_...
        lockout_key: the key of a locked endpoint.
    """

    msgtype = T_REQUEST

    def __init__(
        self,
        msgop: int,
        payload: Any = None,
        *,
        lockout_key: Any = None,
        timestamp: str | None = None,
        sender_info: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        payload = {} if payload is None else payload
        super().__init__(payload, timestamp=timestamp, sender_info=sender_info, extra=extra)
        self.msgop = msgop
        self.lockout_key = lockout_key

    def _own_fields(self) -> dict[str, Any]:
        if self.lockout_key is None:
            return {"msgop": self.msgop}
        return {"msgop": self.msgop, "lockout_key": self.lockout_key}


class ReplyMessage(Message):
    """Answer a request.

    Args:
        payload: a value that is no dict travels as `{"values": [value]}`.
        retcode: 0 success, 1-99 success with a warning, 100 and above failure.
        return_msg: one sentence.
    """

    msgtype = T_REPLY

    def __init__(
        self,
        payload: Any = None,
        *,
        retcode: int = 0,
        return_msg: str = "",
        timestamp: str | None = None,
        sender_info: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        payload = payload if isinstance(payload, dict) else {"values": [payload]}
        super().__init__(payload, timestamp=timestamp, sender_info=sender_info, extra=extra)
        self.retcode = retcode
        self.return_msg = return_msg

    @property
    def failed(self) -> bool:
        """Whether the return code means that the request failed."""
        return is_error(self.retcode)

    def _own_fields(self) -> dict[str, Any]:
        return {"retcode": self.retcode, "return_msg": self.return_msg}


class AlertMessage(Message):
    """Tell everybody who listens to a key of the alerts exchange."""

    msgtype = T_ALERT


class InfoMessage(Message):
    """Tell something that calls for no answer."""

    msgtype = T_INFO

"""The names of a mesh as somebody saw them last: for completion, which has no time to ask.

Rules:
1. A file for each broker, with names, attributes and commands: no value, and nothing secret.
2. What cannot be read is no cache, what cannot be written is none, and nobody is told: it is a convenience.
3. Files take their places whole, so any number of writers may write at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from dragonfly.core.broker_address import Broker, mesh_of
from dragonfly.core.exceptions import DriplineError

_FORM = 1
_LARGEST = 64 << 20


class Kind(NamedTuple):
    """What endpoints of one kind can be asked for.

    Args:
        attributes: that can be read.
        settable: those of them that can be set.
        commands: that can be called.
    """

    attributes: tuple[str, ...] = ()
    settable: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class NameCache:
    """The names of one broker's mesh.

    Args:
        broker: which broker; None is localhost.
    """

    def __init__(self, broker: Broker) -> None:
        self._path = _folder() / f"names_{_label(broker)}.json"
        self._mark = self._path.with_suffix(".asked")

    def read(self) -> dict[str, Kind]:
        """Return what is known of each name; nothing where there is no cache that can be read."""
        try:
            if self._path.stat().st_size > _LARGEST:
                return {}
            content = json.loads(self._path.read_bytes())
            if content["form"] != _FORM:
                return {}
            kinds = [Kind(*map(_words, kind)) for kind in content["kinds"]]
            return {str(name): kinds[number] for name, number in content["names"].items()}
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return {}

    def write(self, names: Iterable[tuple[str, Kind]]) -> None:
        """Replace what is known."""
        kinds: dict[Kind, int] = {}
        numbered = {name: kinds.setdefault(kind, len(kinds)) for name, kind in names}
        self._replace(json.dumps({"form": _FORM, "kinds": list(kinds), "names": numbered}))

    def claim_refresh(self, age: float) -> bool:
        """Tell whether it is older than `age` s, and nobody has set about refreshing it within that time."""
        try:
            now = time.time()
            if any(abs(now - _written(path)) < age for path in (self._path, self._mark)):
                return False
            self._mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mark.touch(mode=0o600)
            os.utime(self._mark)
        except OSError:
            return False
        return True

    def _replace(self, text: str) -> None:
        temporary = self._path.with_suffix(f".{os.getpid()}_{time.monotonic_ns()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.touch(mode=0o600)
            temporary.write_text(text, encoding="ascii")
            os.replace(temporary, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _folder() -> Path:
    # By the XDG specification a relative path counts as none.
    configured = os.environ.get("XDG_CACHE_HOME", "")
    return Path(configured if os.path.isabs(configured) else os.path.expanduser("~/.cache")) / "dragonfly"


def _label(broker: Broker) -> str:
    """Return what stands for a broker in a file's name: where it is, and not who we are to it."""
    try:
        mesh = mesh_of(broker)
    except DriplineError:
        mesh = "nowhere"
    # Python's own checksum: to load a better one would take a tenth of the time that TAB has.
    digest = zlib.crc32(mesh.encode())
    return f"{re.sub(r'[^A-Za-z0-9.-]', '_', mesh.partition(' ')[0])[:60]}_{digest:08x}"


def _words(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()

"""An instrument that takes a connection and says nothing, until a test lets it."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Any

CLASSES = Path(__file__).with_name("endpoints.py")
_BACKLOG = 512
# How long who is expected may take to come, s.
_PATIENCE = 10.0


class SilentInstrument:
    """The test's side: it knows who waits for an answer, and ends the wait. It needs no thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._listener.settimeout(_PATIENCE)
        self._waiting: list[socket.socket] = []

    def __enter__(self) -> SilentInstrument:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()
        self.release()

    def endpoint(self, name: str, **keys: Any) -> dict[str, Any]:
        """Return the configuration of an endpoint that hangs in each get."""
        module = {"module": "TalkingEndpoint", "module_path": str(CLASSES)}
        return {"name": name, **module, "port": self._listener.getsockname()[1], **keys}

    def wait_for(self, count: int) -> None:
        """Wait until so many more endpoints hang."""
        for _ in range(count):
            self._waiting.append(self._listener.accept()[0])

    def release(self) -> None:
        """Answer all that hang."""
        while self._waiting:
            with self._waiting.pop() as talker:
                talker.sendall(b"at last")

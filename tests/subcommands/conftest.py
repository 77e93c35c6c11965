"""Verbs without a mesh: what they would talk to is played, and a test says what it answers."""

import socket
import threading
from collections.abc import Iterator

import pytest

from dragonfly.core import interface, listener
from dragonfly.core.message import ReplyMessage
from tests.subcommands.fake_interface import PEACHES, FakeInterface
from tests.subcommands.fake_listener import FakeListener


@pytest.fixture
def fake_mesh(monkeypatch: pytest.MonkeyPatch) -> type[FakeInterface]:
    """Answer requests with PEACHES, or what a test puts into `answer`."""
    monkeypatch.setattr(interface, "Interface", FakeInterface)
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    monkeypatch.setattr(FakeInterface, "asked", None)
    monkeypatch.setattr(FakeInterface, "answer", ReplyMessage(PEACHES))
    return FakeInterface


@pytest.fixture
def fake_listener(monkeypatch: pytest.MonkeyPatch) -> type[FakeListener]:
    """Hear nothing, or what a test puts into `deliveries`, and then Ctrl-C."""
    monkeypatch.setattr(listener, "Listener", FakeListener)
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    monkeypatch.setattr(FakeListener, "stopped", 0)
    monkeypatch.setattr(FakeListener, "deliveries", ())
    return FakeListener


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let looking up a name take until the event is set."""
    found, real = threading.Event(), socket.getaddrinfo

    def getaddrinfo(*args: object, **options: object) -> object:
        assert found.wait(10)
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield found
    found.set()

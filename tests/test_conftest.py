"""The guard itself: a test that leaves a thread or a socket is told so."""

import socket
import threading

import pytest

from tests import conftest


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "PATIENCE", 0.05)


def test_a_live_thread_is_seen() -> None:
    before = set(threading.enumerate())
    go = threading.Event()
    thread = threading.Thread(target=go.wait, name="forgotten")
    thread.start()
    assert conftest.left_behind(before, conftest.open_sockets()) == ["thread forgotten"]
    go.set()
    thread.join()
    assert conftest.left_behind(before, conftest.open_sockets()) == []


@pytest.mark.skipif(not conftest.OPEN_FILES.is_dir(), reason="this system has no /proc")
def test_an_open_socket_is_seen() -> None:
    before = conftest.open_sockets()
    with socket.socket():
        assert len(conftest.left_behind(set(threading.enumerate()), before)) == 1
    assert conftest.left_behind(set(threading.enumerate()), before) == []

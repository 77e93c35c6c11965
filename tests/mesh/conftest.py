"""Fixtures of the tests on a real mesh."""

import socket

import pytest


@pytest.fixture
def unused_address() -> str:
    """Give HOST:PORT where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"

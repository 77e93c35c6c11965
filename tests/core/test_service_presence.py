"""When a service has nothing left to say; how it comes onto a mesh and leaves it is tested in tests/mesh."""

from types import SimpleNamespace
from typing import Any

import pytest

from dragonfly.core.service_presence import Wire


@pytest.mark.parametrize(
    ("is_up", "alerts", "replies", "is_silent"),
    [
        (True, 0, 0, True),
        (True, 1, 0, False),
        (True, 0, 1, False),
        (False, 5, 5, True),  # nobody is there to say it to
    ],
)
def test_it_is_silent_when_all_is_said_or_nobody_is_there(
    is_up: bool, alerts: int, replies: int, is_silent: bool
) -> None:
    connection: Any = SimpleNamespace(is_up=is_up)
    publisher: Any = SimpleNamespace(unfinished=alerts)
    reply_publisher: Any = SimpleNamespace(unfinished=replies)
    unused: Any = None
    assert Wire(connection, unused, publisher, reply_publisher, unused).is_silent is is_silent

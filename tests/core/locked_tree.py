"""A tree of endpoints to be locked, and who locks them."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineWarning,
)
from dragonfly.core.lockout import Origin
from dragonfly.core.provider import Provider
from tests.stub_service import StubService

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32
ALICE = Origin("alice", "lab1", KEY)
BOB = Origin("bob", "lab2")
MALLORY = Origin("mallory", "lab3", OTHER_KEY)


class Device(Endpoint):
    """Something that can be asked for everything, and writes down what it did."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setpoint = 4.2
        self._done: list[str] = []

    def on_get(self) -> int:
        return 5

    def on_set(self, value: Any) -> None:
        self._done.append("set")

    def on_run(self) -> None:
        self._done.append("run")

    def on_send(self, *commands: Any) -> None:
        self._done.append("send")

    def reset(self) -> None:
        self._done.append("reset")

    def set_condition(self, number: int) -> None:
        self._done.append("condition")


class Tree:
    """A service over a provider `rack` with the endpoints plums and peaches, and one of its own, chips."""

    def __init__(self) -> None:
        self.service = StubService("shop")
        self.rack = Provider(name="rack")
        self.plums, self.peaches, self.chips = Device(name="plums"), Device(name="peaches"), Device(name="chips")
        self.rack.add_endpoint(self.plums)
        self.rack.add_endpoint(self.peaches)
        self.service.add_endpoint(self.rack)
        self.service.add_endpoint(self.chips)

    @property
    def locked(self) -> list[str]:
        return [endpoint.name for endpoint in self.service.subtree() if endpoint.is_locked]


def lock(endpoint: Endpoint, origin: Origin = ALICE, **kwargs: Any) -> str:
    reply = endpoint.handle(OP_CMD, "lock", [], kwargs, origin)
    assert reply["lockout-key"] == reply["key"]
    assert set(reply) == {"lockout-key", "key"}
    return str(reply["key"])


def unlock(endpoint: Endpoint, origin: Origin = BOB, **kwargs: Any) -> str:
    """Unlock, and return the remark with which that succeeded."""
    with pytest.raises(DriplineWarning) as caught:
        endpoint.handle(OP_CMD, "unlock", [], kwargs, origin)
    return str(caught.value)

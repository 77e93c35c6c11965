"""A service for tests of endpoints alone: it notes what they say, and its time is moved by hand."""

from collections.abc import Callable
from typing import Any

from dragonfly.core.message import ReplyMessage
from dragonfly.core.provider import Provider
from dragonfly.testing.clock import ManualClock


class StubService(Provider):
    """What an endpoint sees of a service, without a broker and without threads."""

    not_for_the_mesh = frozenset(
        {"clock", "alerts", "requests", "reply", "send_alert", "monotonic", "call_later", "request"}
    )

    def __init__(self, name: str = "service") -> None:
        super().__init__(name=name)
        self.clock = ManualClock()
        self.alerts: list[tuple[str, Any]] = []
        self.requests: list[tuple[Any, ...]] = []
        self.reply = ReplyMessage()

    @property
    def service(self) -> "StubService":
        return self

    def send_alert(self, routing_key: str, payload: Any) -> None:
        self.alerts.append((routing_key, payload))

    def monotonic(self) -> float:
        return self.clock.now()

    def call_later(self, seconds: float, action: Callable[[], None], *, endpoint: Any = None) -> Callable[[], None]:
        return self.clock.call_later(seconds, action)

    def request(
        self,
        target: str,
        operation: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
    ) -> ReplyMessage:
        self.requests.append((target, operation, payload, timeout, lockout_key))
        return self.reply

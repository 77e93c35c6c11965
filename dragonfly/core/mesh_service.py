"""What an endpoint sees of the service that holds it: little enough that a test can stand in for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dragonfly.core.message import ReplyMessage


class MeshService(Protocol):
    """The service, as its endpoints see it."""

    @property
    def name(self) -> str:
        """Name of the service."""
        ...

    def send_alert(self, routing_key: str, payload: Any) -> None:
        """Tell everybody who listens to a key of the alerts exchange."""
        ...

    def call_later(self, seconds: float, action: Callable[[], None], *, endpoint: Any = None) -> Callable[[], None]:
        """Do something after a time, in s, on the lane of an endpoint; by default on that of the handler that calls.

        Returns:
            What to call in order to cancel it.
        """
        ...

    def monotonic(self) -> float:
        """Return the time by which `call_later` counts, s."""
        ...

    def request(
        self,
        target: str,
        operation: int,
        payload: dict[str, Any],
        timeout: float | None = None,
        lockout_key: str | None = None,
    ) -> ReplyMessage:
        """Send a request to any endpoint of the mesh and return its reply.

        Args:
            target: endpoint, or endpoint and specifier.
            operation: one of the constants OP_...
            payload: `{"values": [...]}` and further keys.
            timeout: how long to wait for the reply, s.
            lockout_key: key of a locked endpoint.

        Raises:
            DriplineError: the one that the reply's return code stands for; DriplineOwnLaneError where the target is on
                the lane of the handler that asks.
        """
        ...

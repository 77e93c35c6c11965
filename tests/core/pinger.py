"""An endpoint that does something periodically, and a service that is its clock."""

from collections.abc import Callable
from typing import Any

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.scheduler import Scheduler
from tests.stub_service import StubService

LOGGER = "dragonfly.core.scheduler"


class Pinger(Endpoint, Scheduler):
    """Notes the time of each of its actions, and does then what a test wants."""

    def __init__(self, interval: float = 10.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schedule_interval = interval
        self._times: list[float] = []
        self._then: Callable[[], None] = lambda: None

    def scheduled_action(self) -> None:
        self._times.append(self.service.monotonic())
        self._then()


def pinger(interval: float = 10.0, name: str = "pinger") -> tuple[Pinger, StubService]:
    service, endpoint = StubService(), Pinger(name=name, interval=interval)
    service.add_endpoint(endpoint)
    return endpoint, service


def raises(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action

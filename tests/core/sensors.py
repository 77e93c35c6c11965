"""Endpoints that log themselves, and what they told."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from dragonfly.core.calibration import calibrate
from dragonfly.core.spime import Spime
from tests.stub_service import StubService


class Sensor(Spime):
    """Gives one value after another, each read noted; an exception among them is raised."""

    def __init__(self, values: Iterable[Any] = (), **kwargs: Any) -> None:
        super().__init__(**{"log_interval": 10, **kwargs})
        self._values = iter(values)

    @calibrate()
    def on_get(self) -> Any:
        value = next(self._values)
        if isinstance(value, BaseException):
            raise value
        return value


def sensor(values: Iterable[Any] = (), cls: type[Spime] = Sensor, **keys: Any) -> tuple[Any, StubService]:
    service, endpoint = StubService(), cls(name="volts", values=itertools.chain(values, itertools.repeat(0)), **keys)
    service.add_endpoint(endpoint)
    return endpoint, service


def told(values: Sequence[Any], **keys: Any) -> list[int]:
    """Return which of the values, read one each log event, are broadcast."""
    endpoint, service = sensor(values, **keys)
    numbers: list[int] = []
    endpoint.switch("on")
    for number in range(len(values)):
        before = len(service.alerts)
        service.clock.advance(0 if number == 0 else 10)
        numbers += [number] * (len(service.alerts) - before)
    return numbers


class Plain(Sensor):
    """One that returns what it reads, without the decorator."""

    def on_get(self) -> Any:
        return next(self._values)


class Settable(Sensor):
    """One whose value is what it was set to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(log_on_set=True, **kwargs)
        self._value: Any = 1

    @calibrate()
    def on_get(self) -> Any:
        return self._value

    def on_set(self, value: Any) -> None:
        self._value = value


def settable(**keys: Any) -> tuple[Any, StubService]:
    return sensor(cls=Settable, **keys)

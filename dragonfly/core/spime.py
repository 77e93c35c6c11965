"""Spime: an endpoint that logs itself."""

from __future__ import annotations

from typing import Any, ClassVar

from dragonfly.core.data_logger import DataLogger
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError
from dragonfly.core.numbers import checked_flag


class Spime(Endpoint, DataLogger):
    """An endpoint that tells its values to everybody who listens to the alerts exchange.

    Keyword Args:
        log_on_set (bool): flag to enable logging the new value whenever a new one is set
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"raw_after_set"})

    def __init__(self, log_on_set: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._log_on_set = checked_flag("log_on_set", log_on_set)

    @property
    def log_on_set(self) -> bool:
        """Whether each set broadcasts the new value."""
        return self._log_on_set

    @log_on_set.setter
    def log_on_set(self, value: bool) -> None:
        self._log_on_set = checked_flag("log_on_set", value)

    def raw_after_set(self, value: Any) -> Any:
        """Return the raw value that a get would give after a set; the value itself unless a class knows better."""
        return value

    def _set(self, value: Any, kwargs: dict[str, Any]) -> Any:
        try:
            result = super()._set(value, kwargs)
        except DriplineError as err:
            # The value is set, only its calibration failed: what was read is worth telling all the same.
            if self._log_on_set and _is_value(err.result):
                self._broadcast(err.result)
            raise
        if self._log_on_set:
            self._broadcast(result if _is_value(result) else self._value_set(value))
        return result

    def _value_set(self, value: Any) -> Any:
        try:
            return self.calibrated(self.raw_after_set(value))
        except DriplineError as err:
            return err.result

    def _broadcast(self, payload: Any) -> None:
        if payload is not None and self.service is not None:
            self.service.send_alert(f"{self.alert_routing_key}.{self.name}", payload)


def _is_value(payload: Any) -> bool:
    return isinstance(payload, dict) and "value_raw" in payload

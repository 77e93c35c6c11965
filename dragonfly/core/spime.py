"""Spime: an endpoint that logs itself."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from dragonfly.core.data_logger import DataLogger
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, is_remark
from dragonfly.core.numbers import checked_flag

logger = logging.getLogger(__name__)


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

    def value_to_log(self) -> dict[str, Any] | None:
        """Return what a get answers."""
        try:
            value = self._get()
        except DriplineError as err:
            # Only its calibration failed, or it is but a remark: what was read is worth telling all the same.
            if not is_remark(err) and not _is_value(err.result):
                raise
            value = err.result
        if value is None or isinstance(value, dict):
            return value
        return {"value_raw": value}

    def _set(self, value: Any, kwargs: dict[str, Any]) -> Any:
        try:
            result = super()._set(value, kwargs)
        except DriplineError as err:
            # It is set all the same: reading it back got as far as its calibration, or the error is but a remark.
            if self._log_on_set and _is_value(err.result):
                self._tell(err.result)
            elif self._log_on_set and is_remark(err):
                self._tell(self._value_set(value))
            raise
        if self._log_on_set:
            self._tell(result if _is_value(result) else self._value_set(value))
        return result

    def _value_set(self, value: Any) -> Any:
        try:
            return self.calibrated(self.raw_after_set(value))
        except DriplineError as err:
            return err.result

    def _tell(self, payload: Any) -> None:
        if payload is None or self.service is None:
            return
        try:
            self.broadcast(payload, self.service.monotonic())
        except DriplineError as err:  # who set it must not be told that it failed
            logger.error("%s is set, but nobody can be told: %s", self.name, err)


def _is_value(payload: Any) -> bool:
    return isinstance(payload, dict) and "value_raw" in payload

"""DataLogger: when a value is told to everybody."""

from __future__ import annotations

from typing import Any

from dragonfly.core.constants import MAX_NAME, MAX_SHORT_STRING
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.numbers import checked_number

_LONGEST_KEY = MAX_SHORT_STRING - MAX_NAME - 1


class DataLogger:
    """The keys that say when a value is broadcast, and under which routing key.

    Keyword Args:
        log_interval (float): minimum time in seconds between sequential log events (note that this may or may not produce an actual log broadcast)
        max_interval (float): If > 0, any log event exceding this number of seconds since the last broadcast will trigger a broadcast.
        max_fractional_change (float): If > 0, any log event which produces a value which differs from the previous value by more than this amount (expressed as a fraction, ie 10% change is 0.1) will trigger a broadcast
        alert_routing_key (str): routing key for the alert message send when broadcasting a logging event result. The default value of 'sensor_value' is valid for DataLoggers which represent physical quantities being stored to the slow controls database tables

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """  # noqa: E501

    def __init__(
        self,
        log_interval: float = 0.0,
        max_interval: float = 0.0,
        max_fractional_change: float = 0.0,
        alert_routing_key: str = "sensor_value",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Kept as written in the file, so that `get peaches.log_interval` shows 30 for 30; a set makes it a float.
        self._log_interval = checked_number("log_interval", log_interval, 0, "seconds")
        self._max_interval = checked_number("max_interval", max_interval, 0, "seconds")
        self._max_fractional_change = checked_number("max_fractional_change", max_fractional_change, 0)
        self._alert_routing_key = _checked_key(alert_routing_key)

    @property
    def log_interval(self) -> float:
        """Time between log events, in seconds; 0 is never."""
        return self._log_interval

    @log_interval.setter
    def log_interval(self, value: float) -> None:
        self._log_interval = float(checked_number("log_interval", value, 0, "seconds"))

    @property
    def max_interval(self) -> float:
        """Time after which a log event broadcasts whatever the value is, in seconds; 0 is off."""
        return self._max_interval

    @max_interval.setter
    def max_interval(self, value: float) -> None:
        self._max_interval = float(checked_number("max_interval", value, 0, "seconds"))

    @property
    def max_fractional_change(self) -> float:
        """Change since the last broadcast, as a fraction of it, from which on a log event broadcasts; 0 is off."""
        return self._max_fractional_change

    @max_fractional_change.setter
    def max_fractional_change(self, value: float) -> None:
        self._max_fractional_change = float(checked_number("max_fractional_change", value, 0))

    @property
    def alert_routing_key(self) -> str:
        """First part of the routing key of this endpoint's alerts; the endpoint's name follows it."""
        return self._alert_routing_key

    @alert_routing_key.setter
    def alert_routing_key(self, value: str) -> None:
        self._alert_routing_key = _checked_key(value)


def _checked_key(value: object) -> str:
    # '.' and the endpoint's name still have to fit.
    if isinstance(value, str) and not set(value) & set(" *#") and 0 < _size(value) <= _LONGEST_KEY:
        return value
    raise DriplineValueError(
        f"alert_routing_key must be a text of 1 to {_LONGEST_KEY} bytes without blank, '*' and '#', not {value!r:.80}"
    )


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:  # a lone surrogate has no bytes at all
        return 0

"""DataLogger: when a value is told to everybody.

Rules, for a log event:
1. The first one after logging was switched on broadcasts, whatever was told meanwhile.
2. Where neither max_interval nor a change is configured, each one broadcasts.
3. Otherwise it does when max_interval is over since the last broadcast, or when the value has changed by enough since.
4. A value of None is never broadcast.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from dragonfly.core.change import has_changed
from dragonfly.core.constants import MAX_NAME, MAX_SHORT_STRING
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.numbers import checked_number
from dragonfly.core.scheduler import Scheduler, checked_interval, checked_status

logger = logging.getLogger(__name__)

_LONGEST_KEY = MAX_SHORT_STRING - MAX_NAME - 1
_FIELDS = ("value_cal", "value_raw")
# What the times of events, which are sums of floats, may differ by, s.
_ROUNDING = 1e-6


class DataLogger(Scheduler):
    """Broadcasts a value periodically, or when it has changed.

    Keyword Args:
        log_interval (float): minimum time in seconds between sequential log events (note that this may or may not produce an actual log broadcast)
        max_interval (float): If > 0, any log event exceding this number of seconds since the last broadcast will trigger a broadcast.
        max_fractional_change (float): If > 0, any log event which produces a value which differs from the previous value by more than this amount (expressed as a fraction, ie 10% change is 0.1) will trigger a broadcast
        alert_routing_key (str): routing key for the alert message send when broadcasting a logging event result. The default value of 'sensor_value' is valid for DataLoggers which represent physical quantities being stored to the slow controls database tables

    Further Keyword Args:
        max_absolute_change (float): if > 0, a log event whose value differs from the last one broadcast by more than this, in the value's own unit, triggers a broadcast
        check_field (str): entry of the value whose change is looked at; by default value_cal, and value_raw where there is no value_cal
        logging_status (bool): whether logging starts with the service; false by default

    Raises:
        DriplineValueError: a key's value is not acceptable.
    """  # noqa: E501

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"value_to_log", "broadcast"})
    interval_key = "log_interval"
    status_key = "logging_status"

    # What was told last; an object has its own when it has told something (see Scheduler).
    _is_first = True
    _was_none = False
    _last_payload: Mapping[str, Any] = MappingProxyType({})
    _last_time = 0.0

    def __init__(
        self,
        log_interval: float = 0.0,
        max_interval: float = 0.0,
        max_fractional_change: float = 0.0,
        alert_routing_key: str = "sensor_value",
        max_absolute_change: float = 0.0,
        check_field: str | None = None,
        logging_status: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Kept as written in the file, so that `get peaches.log_interval` shows 30 for 30; a set makes it a float.
        self._interval = checked_interval("log_interval", log_interval)
        self._max_interval = checked_number("max_interval", max_interval, 0, "seconds")
        self._max_fractional_change = checked_number("max_fractional_change", max_fractional_change, 0)
        self._max_absolute_change = checked_number("max_absolute_change", max_absolute_change, 0)
        self._alert_routing_key = _checked_key(alert_routing_key)
        self._check_field = _checked_field(check_field)
        self._starts_by_itself = checked_status("logging_status", logging_status) != "off"
        if self._starts_by_itself and not self._interval > 0:
            raise DriplineValueError("logging_status is on, and log_interval, which it needs, is not above 0")

    @property
    def log_interval(self) -> float:
        """Time between log events, in seconds; 0 is never."""
        return self._interval

    @log_interval.setter
    def log_interval(self, value: float) -> None:
        self.schedule_interval = value

    @property
    def logging_status(self) -> bool:
        """Whether it logs; set: start or on, stop or off, restart, true or false."""
        return self.schedule_status

    @logging_status.setter
    def logging_status(self, value: Any) -> None:
        self.schedule_status = value

    @property
    def starts_by_itself(self) -> bool:
        """Whether logging is switched on when the service is on the mesh."""
        return self._starts_by_itself

    @property
    def max_interval(self) -> float:
        """Time after which a log event broadcasts whatever the value is, in seconds; 0 is off."""
        return self._max_interval

    @max_interval.setter
    def max_interval(self, value: float) -> None:
        self._max_interval = float(checked_number("max_interval", value, 0, "seconds"))

    @property
    def max_fractional_change(self) -> float:
        """Change since the last broadcast, as a fraction of it, above which a log event broadcasts; 0 is off."""
        return self._max_fractional_change

    @max_fractional_change.setter
    def max_fractional_change(self, value: float) -> None:
        self._max_fractional_change = float(checked_number("max_fractional_change", value, 0))

    @property
    def max_absolute_change(self) -> float:
        """Change since the last broadcast, in the value's unit, above which a log event broadcasts; 0 is off."""
        return self._max_absolute_change

    @max_absolute_change.setter
    def max_absolute_change(self, value: float) -> None:
        self._max_absolute_change = float(checked_number("max_absolute_change", value, 0))

    @property
    def check_field(self) -> str | None:
        """Entry of the value whose change is looked at; None is value_cal, or value_raw where there is none."""
        return self._check_field

    @check_field.setter
    def check_field(self, value: str | None) -> None:
        self._check_field = _checked_field(value)

    @property
    def alert_routing_key(self) -> str:
        """First part of the routing key of this endpoint's alerts; the endpoint's name follows it."""
        return self._alert_routing_key

    @alert_routing_key.setter
    def alert_routing_key(self, value: str) -> None:
        self._alert_routing_key = _checked_key(value)

    def value_to_log(self) -> dict[str, Any] | None:
        """Return what a log event would broadcast; None where there is no value."""
        raise NotImplementedError

    def scheduled_action(self) -> None:
        """Look at the value, and broadcast it where that is due."""
        payload = self.value_to_log()
        if payload is None:
            if not self._was_none:
                logger.warning("%s has no value to log: it is looked at again with each log event", self.name)
        elif self._is_due(payload):
            self.broadcast(payload, self._due)
            self._is_first = False
        self._was_none = payload is None

    def broadcast(self, payload: dict[str, Any], moment: float) -> None:
        """Tell everybody a value, and remember it.

        Args:
            payload: the value.
            moment: the monotonic time to which it belongs, s.
        """
        self.service.send_alert(f"{self._alert_routing_key}.{self.name}", payload)
        # A copy: what a class returns each time may be one dict, which it changes.
        self._last_payload = dict(payload)
        self._last_time = moment

    def _schedule_begins(self) -> None:
        self._is_first = True
        self._was_none = False

    def _is_due(self, payload: dict[str, Any]) -> bool:
        fraction, amount = self._max_fractional_change, self._max_absolute_change
        if self._is_first or not (self._max_interval > 0 or fraction > 0 or amount > 0):
            return True
        if 0 < self._max_interval <= self._due - self._last_time + _ROUNDING:
            return True
        watches = fraction > 0 or amount > 0
        if not watches:
            return False
        return has_changed(self._checked_value(self._last_payload), self._checked_value(payload), fraction, amount)

    def _checked_value(self, payload: Mapping[str, Any]) -> Any:
        fields = _FIELDS if self._check_field is None else (self._check_field, *_FIELDS)
        return next((payload[field] for field in fields if payload.get(field) is not None), payload)


def _checked_key(value: object) -> str:
    # '.' and the endpoint's name still have to fit.
    if isinstance(value, str) and not set(value) & set(" *#") and 0 < _size(value) <= _LONGEST_KEY:
        return value
    raise DriplineValueError(
        f"alert_routing_key must be a text of 1 to {_LONGEST_KEY} bytes without blank, '*' and '#', not {value!r:.80}"
    )


def _checked_field(value: object) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise DriplineValueError(f"check_field must be the name of an entry, such as value_raw, not {value!r:.80}")


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:  # a lone surrogate has no bytes at all
        return 0

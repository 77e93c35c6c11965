"""The keys of a service, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from dragonfly.core.broker_address import Broker, parsed_addresses
from dragonfly.core.calls import BrokerLost, Call, checked_broker_lost, checked_calls
from dragonfly.core.codec import Decode, decode
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.numbers import checked_flag, checked_number, checked_text, checked_whole
from dragonfly.core.scheduler import checked_interval

DEFAULT_ALERT_BUFFER_AGE = 600.0
# AMQP's own limit for a heartbeat is 16 bits.
_LONGEST_HEARTBEAT = 65_535


class ServiceSettings(NamedTuple):
    """What a config file may say of a service; Service documents each."""

    broker: Broker
    heartbeat: int
    heartbeat_interval: float
    clock_tolerance: float
    max_threads: int
    stop_timeout: float
    max_message_size: int
    max_json_depth: int
    alert_buffer: int
    alert_buffer_age: float
    setup_calls: list[Call]
    setup_calls_required: bool
    shutdown_calls: list[Call]
    on_broker_lost: BrokerLost | None
    audit_log: str | None
    status_alerts: bool
    slack_channel: str

    @property
    def decode(self) -> Decode:
        """What makes a message of a body and its content_encoding, within the limits for messages."""
        return partial(decode, max_depth=self.max_json_depth, max_size=self.max_message_size)

    @property
    def calls(self) -> list[Call]:
        """All calls that the file asks for at any time."""
        lost = [] if self.on_broker_lost is None else self.on_broker_lost.calls
        return [*self.setup_calls, *self.shutdown_calls, *lost]


def checked_settings(given: Mapping[str, Any]) -> ServiceSettings:
    """Return the settings that these values are.

    Args:
        given: a value for each field; what else there is does not count.

    Raises:
        DriplineValueError: one of them is not acceptable.
    """
    return ServiceSettings(**{key: _CHECKS[key](key, given[key]) for key in ServiceSettings._fields})


def _broker(_key: str, value: Any) -> Any:
    parsed_addresses(value)
    return value


def _channel(key: str, value: Any) -> str:
    # What follows a '#' that is not in quotes is a comment for YAML, and the key has no value.
    if isinstance(value, str):
        return value
    raise DriplineValueError(f'{key} must be a text, not {value!r:.80}: put it in quotes ("#alarms")')


def _seconds(key: str, value: Any) -> float:
    return checked_number(key, value, 0, "seconds")


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "broker": _broker,
    "heartbeat": partial(checked_whole, low=1, high=_LONGEST_HEARTBEAT, unit="seconds"),
    "heartbeat_interval": checked_interval,
    "clock_tolerance": _seconds,
    "max_threads": partial(checked_whole, low=1),
    "stop_timeout": _seconds,
    "max_message_size": partial(checked_whole, low=1, unit="bytes"),
    "max_json_depth": partial(checked_whole, low=2),
    "alert_buffer": partial(checked_whole, low=0),
    "alert_buffer_age": lambda key, value: float(_seconds(key, value)),
    "setup_calls": checked_calls,
    "setup_calls_required": checked_flag,
    "shutdown_calls": checked_calls,
    "on_broker_lost": lambda _key, value: checked_broker_lost(value),
    "audit_log": checked_text,
    "status_alerts": checked_flag,
    "slack_channel": _channel,
}

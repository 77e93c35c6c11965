"""Calibrations, and what a raw value comes to, for tests."""

from typing import Any

from dragonfly.core.calibration import calibrated, compiled
from dragonfly.implementations.key_value_store import times2, times3


def pt100_calibration(resistance: float) -> float | None:
    """Give a temperature, as a class's own function does: the last interval of the original's table."""
    return None if resistance >= 185 else 14.84755 + resistance / 0.387


def cernox_calibration(resistance: float, serial_number: int) -> float:
    return {1912: 77.0}[serial_number] * resistance


def halved(value: float) -> float:
    return 0.5 * value


FUNCTIONS = {
    function.__name__: function for function in (times2, times3, pt100_calibration, cernox_calibration, halved)
}
SWITCH = {"CLOSE": "on", "OPEN": "off"}


def payload(calibration: Any, raw: Any) -> Any:
    return calibrated("peaches", raw, compiled(calibration, FUNCTIONS))

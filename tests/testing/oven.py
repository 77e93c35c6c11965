"""Classes for an instrument, as somebody writes them, and the script that stands in for it in a YAML file."""

from typing import Any

from dragonfly.core import Provider, Spime, calibrate
from dragonfly.core.exceptions import DriplineHardwareConnectionError
from dragonfly.testing import ScriptedInstrument


class OvenProvider(Provider):
    """The oven itself, which this room does not have."""

    def send(self, commands: list[str]) -> str:
        raise DriplineHardwareConnectionError(f"{self.name} is not there")


class OvenTemperature(Spime):
    """The oven's temperature."""

    @calibrate()
    def on_get(self) -> Any:
        return self.provider.send(["TEMP?"])

    def on_set(self, value: Any) -> None:
        self.provider.send([f"SET {value}", "OPC?"])


class ScriptedOven(ScriptedInstrument):
    """An oven for a YAML file, which can name what is sent and answered."""

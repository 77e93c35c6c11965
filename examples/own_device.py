"""A provider and endpoints of one's own, for docs/how_to/own_device.rst: an oven, which lives in this file."""

from typing import Any

from dragonfly.core import Endpoint, Provider, Spime, calibrate
from dragonfly.core.exceptions import DriplineHardwareConnectionError, DriplineHardwareError, DriplineValueError


class SimulatedOven:
    """Stand-in for the instrument: one command in, one answer out."""

    def __init__(self) -> None:
        self._celsius = 21.5

    def ask(self, command: str) -> str:
        """Return the answer to a command; `?` is how this oven says that it does not know it."""
        word, _, value = command.partition(" ")
        if word == "SET":
            self._celsius = float(value)
        answers = {"TEMP?": f"{self._celsius:+.2f}", "SET": "OK", "STATE?": str(int(self._celsius > 30))}
        return answers.get(word, "?")


class OvenProvider(Provider):
    """The oven itself: everything that is said to it passes here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._oven: SimulatedOven | None = None

    def start(self) -> None:
        """Connect; a real one opens its socket or serial port here."""
        self._oven = SimulatedOven()

    def stop(self) -> None:
        """Let go."""
        self._oven = None

    def send(self, commands: list[str]) -> str:
        """Return the oven's answers to some commands, joined by `;`."""
        if self._oven is None:
            raise DriplineHardwareConnectionError(f"{self.name}: not connected")
        answers = []
        for command in commands:
            answer = self._oven.ask(command)
            if answer == "?":
                raise DriplineHardwareError(f"{self.name}: the oven does not know {command!r}")
            answers.append(answer)
        return ";".join(answers)


def kelvin(celsius: float) -> float:
    """Return in K what is given in degrees Celsius."""
    return celsius + 273.15


class OvenTemperature(Spime):
    """The oven's temperature.

    Further Keyword Args:
        highest (float): what a set may ask for at most, in degrees Celsius; 200 by default
    """

    def __init__(self, highest: float = 200.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.highest = highest

    @property
    def highest(self) -> float:
        """What a set may ask for at most, in degrees Celsius."""
        return self._highest

    @highest.setter
    def highest(self, value: float) -> None:
        self._highest = float(value)

    @calibrate([kelvin])
    def on_get(self) -> str:
        """Get the temperature in degrees Celsius."""
        return self._read()

    def on_set(self, value: Any) -> None:
        """Set the temperature in degrees Celsius."""
        try:
            wanted = float(value)
        except (TypeError, ValueError) as err:
            raise DriplineValueError(f"{self.name}: {value!r} is not a number") from err
        if not 0 <= wanted <= self._highest:
            raise DriplineValueError(f"{self.name}: {wanted:g} is not within 0 to {self._highest:g} degrees Celsius")
        self.provider.send([f"SET {wanted:g}"])

    def distance(self, celsius: float) -> float:
        """Return how far it is to a temperature in degrees Celsius, in K."""
        return celsius - float(self._read())

    def _read(self) -> str:
        answer: str = self.provider.send(["TEMP?"])
        return answer


class OvenState(Endpoint):
    """Whether the oven is hot."""

    @calibrate()
    def on_get(self) -> str:
        """Get 1 while the oven is hot, otherwise 0."""
        answer: str = self.provider.send(["STATE?"])
        return answer

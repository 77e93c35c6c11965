"""Classes as somebody would write them for an instrument, loaded by module_path."""

from collections.abc import Iterable
from typing import Any

from dragonfly.core import Spime, calibrate


def kelvin(celsius: float) -> float:
    """Return a temperature in K for one in degrees Celsius."""
    return celsius + 273.15


def picky(value: float) -> float:
    """Return a value that is above 0, and fail for any other."""
    if value <= 0:
        raise ValueError("only what is above 0")
    return value


class Thermometer(Spime):
    """A value that is read as it was set.

    Keyword Args:
        returned (any): what a set returns
    """

    def __init__(self, returned: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._raw: Any = "20"
        self._returned = returned

    @calibrate([kelvin, picky])
    def on_get(self) -> Any:
        return self._raw

    def on_set(self, value: Any) -> Any:
        self._raw = str(value)
        return self._returned


class Course(Spime):
    """A value that runs through a list, and stays at its last one.

    Keyword Args:
        course (list): the values; the text `gone` stands for an instrument that does not answer
    """

    def __init__(self, course: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._course = list(course)

    @calibrate()
    def on_get(self) -> Any:
        value = self._course.pop(0) if len(self._course) > 1 else self._course[0]
        if value == "gone":
            raise OSError("the instrument does not answer")
        return object() if value == "object" else value

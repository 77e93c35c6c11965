"""An endpoint that does everything and writes down what it did."""

from typing import Any

from dragonfly.core.calibration import calibrate
from dragonfly.core.endpoint import Endpoint


class Recorder(Endpoint):
    """An endpoint that does everything and writes down what it did."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setpoint = 4.2
        self._value: Any = "0.75"
        self._done: list[Any] = []

    @calibrate()
    def on_get(self) -> Any:
        self._done.append("get")
        return self._value

    def on_set(self, value: Any, unit: str = "V") -> Any:
        self._done.append(("set", value, unit))
        self._value = value
        return f"set to {value}"

    def on_run(self, *args: Any, **kwargs: Any) -> Any:
        return ["run", args, kwargs]

    def on_send(self, *commands: Any) -> Any:
        return ["send", commands]

    def move(self, x: float, y: float = 0.0) -> Any:
        return ["move", x, y]

    def free(self, *args: Any, **kwargs: Any) -> Any:
        return ["free", args, kwargs]

    def clumsy(self, x: float = 0.0) -> Any:
        return len(x)  # type: ignore[arg-type]

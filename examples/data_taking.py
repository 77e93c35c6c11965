"""An endpoint that runs: the data taking of a digitizer, which is simulated."""

from typing import Any

from dragonfly.core import Endpoint, calibrate
from dragonfly.core.exceptions import DriplineDAQRunning, DriplineValueError


class DataTaking(Endpoint):
    """Data taking: a run begins it, a get says for how long it still goes on.

    Further Keyword Args:
        longest (float): for how long one run may take data, in s; 3600 by default
    """

    def __init__(self, longest: float = 3600.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._longest = float(longest)
        self._runs = 0
        self._end = float("-inf")  # of the last run, as the service counts time, s

    def on_run(self, duration: float) -> int:
        """Begin to take data for `duration` s and return the number of the run; it does not wait for the end."""
        try:
            seconds = float(duration)
        except (TypeError, ValueError) as err:
            raise DriplineValueError(f"{self.name}: {duration!r} is no number of seconds") from err
        if not 0 < seconds <= self._longest:
            raise DriplineValueError(f"{self.name}: a run takes up to {self._longest:g} s, not {seconds:g} s")
        left = self._left()
        if left > 0:
            raise DriplineDAQRunning(f"{self.name}: run {self._runs} takes data for {left:.0f} s more")
        self._end = self.service.monotonic() + seconds  # a real one tells its digitizer to start
        self._runs += 1
        return self._runs

    @calibrate()
    def on_get(self) -> float:
        """Get for how long the run still takes data, in s; 0 where none does."""
        return round(self._left(), 1)

    def _left(self) -> float:
        return max(0.0, self._end - self.service.monotonic())

"""The decorator `calibrate`, on classes of one's own."""

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.calibration import calibrate
from dragonfly.core.constants import OP_GET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineHardwareError,
    DriplineValueError,
)
from dragonfly.implementations.key_value_store import times3
from tests.core.calibrations import halved


def test_calibrate_without_functions_offers_those_of_math() -> None:
    class Sensor(Endpoint):
        @calibrate()
        def on_get(self) -> str:
            return "16"

    assert Sensor(name="t", calibration="sqrt({})").on_get() == {"value_cal": 4.0, "value_raw": "16"}
    with pytest.raises(DriplineValueError, match="unknown name 'halved'.*: none$"):
        Sensor(name="t", calibration="halved({})")


def test_calibrate_takes_one_function() -> None:
    class Sensor(Endpoint):
        @calibrate(halved)
        def on_get(self) -> str:
            return "16"

    assert Sensor(name="t", calibration="halved({})").on_get() == {"value_cal": 8.0, "value_raw": "16"}


@pytest.mark.parametrize("container", [list, tuple, iter])
def test_calibrate_takes_several_functions(container: Callable[[Any], Any]) -> None:
    class Sensor(Endpoint):
        @calibrate(container([halved, times3]))
        def on_get(self) -> str:
            return "16"

    assert Sensor(name="t", calibration="times3(halved({}))").on_get()["value_cal"] == 24.0
    with pytest.raises(DriplineValueError, match="of this class: halved, times3$"):
        Sensor(name="t", calibration="times2({})")


def test_calibrate_may_be_written_without_parentheses() -> None:
    class Sensor(Endpoint):
        @calibrate
        def on_get(self) -> str:
            return "16"

    assert Sensor(name="t", calibration="2*{}").on_get() == {"value_cal": 32, "value_raw": "16"}


def test_a_decorated_method_keeps_its_name_and_text() -> None:
    class Sensor(Endpoint):
        @calibrate()
        def on_get(self) -> str:
            """Read the sensor."""
            return "16"

    assert (Sensor.on_get.__name__, Sensor.on_get.__doc__) == ("on_get", "Read the sensor.")


def test_a_subclass_inherits_the_functions() -> None:
    class Sensor(Endpoint):
        @calibrate(halved)
        def on_get(self) -> str:
            return "16"

    class Better(Sensor):
        pass

    assert Better(name="t", calibration="halved({})").on_get()["value_cal"] == 8.0


def test_an_error_of_on_get_is_not_touched() -> None:
    class Sensor(Endpoint):
        @calibrate()
        def on_get(self) -> str:
            raise DriplineHardwareError("no answer")

    with pytest.raises(DriplineHardwareError, match="^no answer$") as caught:
        Sensor(name="t", calibration="2*{}").on_get()
    assert caught.value.result is None


class OwnError(Exception):
    """An error that this project does not know."""


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words for it")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OwnError("out of range"), "OwnError: out of range"),
        (Exception("out of range"), "Exception: out of range"),
        (ValueError("out of range"), "out of range"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (StopIteration(), "StopIteration"),
        (MuteError(), "MuteError"),
        (DriplineHardwareError("out of range"), "out of range"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_function_raises_is_304_with_the_raw_value(error: Exception, text: str) -> None:
    def strict(value: float) -> float:
        raise error

    class Strict(Endpoint):
        @calibrate(strict)
        def on_get(self) -> str:
            return "16"

    with pytest.raises(DriplineValueError, match=rf"^t: .*{text}$") as caught:
        answer(Strict, "strict({})")
    assert (caught.value.retcode, caught.value.result) == (304, {"value_raw": "16"})


class Sensor(Endpoint):
    """A class of somebody, with a function of its own."""

    @calibrate(halved)
    def on_get(self) -> Any:
        return "16"


def answer(cls: type[Endpoint], calibration: str) -> Any:
    return cls(name="t", calibration=calibration).handle(OP_GET, "", [], {})


def test_a_subclass_may_use_what_on_get_of_its_base_gives() -> None:
    class Noted(Sensor):
        def on_get(self) -> Any:
            return {**super().on_get(), "at": 3}

    class Decorated(Sensor):
        @calibrate(times3)
        def on_get(self) -> Any:
            return super().on_get()

    assert answer(Noted, "halved({})") == {"value_cal": 8.0, "value_raw": "16", "at": 3}
    assert answer(Decorated, "halved({})") == {"value_cal": 8.0, "value_raw": "16"}


def test_a_dict_with_a_raw_value_is_calibrated_where_it_has_no_other() -> None:
    class Stamped(Endpoint):
        def on_get(self) -> Any:
            return {"value_raw": "16", "at": 3}

    assert answer(Stamped, "2*{}") == {"value_cal": 32, "value_raw": "16", "at": 3}
    assert Stamped(name="t").handle(OP_GET, "", [], {}) == {"value_raw": "16", "at": 3}
    with pytest.raises(DriplineValueError, match="<'16'> not in cal dict; it has '1'$") as caught:
        Stamped(name="t", calibration={"1": "one"}).handle(OP_GET, "", [], {})
    assert caught.value.result == {"value_raw": "16"}


def test_a_subclass_with_an_on_get_of_its_own_may_still_call_the_functions_of_its_base() -> None:
    class Plain(Sensor):
        def on_get(self) -> Any:
            return "6"

    class Decorated(Sensor):
        @calibrate(times3)
        def on_get(self) -> Any:
            return "6"

    assert answer(Plain, "halved({})") == {"value_cal": 3.0, "value_raw": "6"}
    assert answer(Decorated, "times3(halved({}))") == {"value_cal": 9.0, "value_raw": "6"}
    with pytest.raises(DriplineValueError, match="unknown name 'times3'"):
        answer(Plain, "times3({})")

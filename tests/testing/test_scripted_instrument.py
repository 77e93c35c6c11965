"""An instrument that answers from a script: a wrong, a missing and an unread exchange fail."""

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineHardwareConnectionError
from dragonfly.testing import ScriptedInstrument, ScriptError
from tests.testing.oven import OvenTemperature

OK = ("SET 40", "OPC?")


def oven_on(instrument: ScriptedInstrument, **keys: Any) -> OvenTemperature:
    oven = OvenTemperature(name="oven", **keys)
    instrument.add_endpoint(oven)
    return oven


def test_an_endpoint_is_tested_without_a_broker() -> None:
    with ScriptedInstrument([("TEMP?", "+21.50"), (OK, "1"), ("TEMP?", "+40.00")]) as instrument:
        oven = oven_on(instrument, calibration="{} + 273.15")
        assert oven.on_get() == {"value_raw": "+21.50", "value_cal": 294.65}
        oven.on_set(40)
        assert oven.on_get()["value_raw"] == "+40.00"


def test_no_reply_is_none() -> None:
    with ScriptedInstrument([(["BEEP"], None)]) as instrument:
        assert instrument.send(["BEEP"]) is None


@pytest.mark.parametrize(
    "reply", [DriplineHardwareConnectionError("the cable is broken"), DriplineHardwareConnectionError]
)
def test_an_exception_is_raised(reply: Any) -> None:
    with (
        ScriptedInstrument([("TEMP?", reply)], name="oven") as instrument,
        pytest.raises(DriplineHardwareConnectionError),
    ):
        instrument.send(["TEMP?"])


def test_another_command_than_the_scripts_fails() -> None:
    instrument = ScriptedInstrument([("TEMP?", "1"), (OK, "1")])
    instrument.send(["TEMP?"])
    wrong = r"^instrument: exchange 2 of 2: \['SET 40', 'OPC\?'\] was expected, 'SET 41' was sent$"
    with pytest.raises(ScriptError, match=wrong):
        instrument.send(["SET 41"])


def test_a_command_after_the_scripts_end_fails() -> None:
    instrument = ScriptedInstrument([("TEMP?", "1")], name="oven")
    instrument.send(["TEMP?"])
    with pytest.raises(ScriptError, match=r"^oven: 'TEMP\?' was sent after the end of the script \(1 exchanges\)$"):
        instrument.send(["TEMP?"])


def test_what_was_never_sent_fails_at_the_end() -> None:
    with (
        pytest.raises(ScriptError, match=r"^instrument: never sent were 'STATE\?', \['SET 40', 'OPC\?'\]$"),
        ScriptedInstrument([("TEMP?", "1"), ("STATE?", "0"), (OK, "1")]) as instrument,
    ):
        instrument.send(["TEMP?"])


def test_a_failure_that_somebody_swallowed_is_told_at_the_end() -> None:
    instrument = ScriptedInstrument([("TEMP?", "1")])
    with pytest.raises(ScriptError):
        instrument.send(["TEMP"])
    instrument.send(["TEMP?"])
    with pytest.raises(ScriptError, match=r"'TEMP\?' was expected, 'TEMP' was sent"):
        instrument.done()


def test_a_failure_of_the_test_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), ScriptedInstrument([("TEMP?", "1")]):
        1 / 0  # noqa: B018


def test_it_is_an_assertion_that_fails() -> None:
    assert issubclass(ScriptError, AssertionError)

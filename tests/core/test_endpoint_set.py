"""What a set is answered with: get_on_set, remarks, and a value that cannot be read back."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CONFIG, OP_GET, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, DriplineValueError, DriplineWarning
from tests.core.recorder import Recorder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(name="peaches", calibration="2*{}")


def test_without_get_on_set_a_set_gives_what_on_set_returns(recorder: Recorder) -> None:
    assert recorder.handle(OP_SET, "", [1], {}) == "set to 1"
    assert recorder._done == [("set", 1, "V")]


def test_with_get_on_set_a_set_gives_what_a_get_returns_afterwards() -> None:
    recorder = Recorder(name="peaches", calibration="2*{}", get_on_set=True)
    assert recorder.handle(OP_SET, "", [3], {"unit": "mV"}) == {"value_cal": 6, "value_raw": 3}
    assert recorder._done == [("set", 3, "mV"), "get"]


def test_get_on_set_can_be_switched_while_running(recorder: Recorder) -> None:
    recorder.handle(OP_SET, "get_on_set", [True], {})
    assert recorder.handle(OP_SET, "", [1], {}) == {"value_cal": 2, "value_raw": 1}
    recorder.handle(OP_CONFIG, "", ["get_on_set", False], {})
    assert recorder.handle(OP_SET, "", [2], {}) == "set to 2"


def test_a_set_of_an_attribute_is_no_set_of_the_value() -> None:
    recorder = Recorder(name="peaches", get_on_set=True)
    assert recorder.handle(OP_SET, "setpoint", [7], {}) is None
    assert (recorder.setpoint, recorder._done) == (7, [])


class Undecorated(Endpoint):
    """A class of somebody who did not know of @calibrate."""

    def on_get(self) -> Any:
        return "3"

    def on_set(self, value: Any) -> None:
        pass


def test_a_calibration_is_applied_where_the_class_forgot_the_decorator() -> None:
    assert Undecorated(name="a", calibration="2*{}").handle(OP_GET, "", [], {}) == {"value_cal": 6, "value_raw": "3"}
    assert Undecorated(name="a").handle(OP_GET, "", [], {}) == "3"


def test_a_value_that_is_set_and_cannot_be_read_back_is_said_to_be_set() -> None:
    endpoint = Undecorated(name="a", calibration={"4": "four"}, get_on_set=True)
    with pytest.raises(DriplineValueError, match="^a is set, but reading it back failed: a: raw value <'3'>") as caught:
        endpoint.handle(OP_SET, "", [3], {})
    assert caught.value.result == {"value_raw": "3"}


class Rounding(Undecorated):
    """An instrument that sets what it can, and says so."""

    def on_set(self, value: Any) -> None:
        raise DriplineWarning("rounded to 3", result="3")


def test_a_set_with_a_remark_is_a_success_and_get_on_set_holds_for_it() -> None:
    for keys, answer in (({}, "3"), ({"get_on_set": True}, {"value_cal": 6, "value_raw": "3"})):
        with pytest.raises(DriplineWarning, match="^rounded to 3$") as caught:
            Rounding(name="a", calibration="2*{}", **keys).handle(OP_SET, "", [2.9], {})
        assert caught.value.result == answer


class OwnError(DriplineError):
    """An error that is made in a way of its own."""

    retcode = 1500

    def __init__(self, channel: int) -> None:
        super().__init__(f"channel {channel} is gone", result={"value_raw": channel})


class OwnWarning(DriplineWarning):
    """A remark that is made in a way of its own."""

    def __init__(self) -> None:
        super().__init__("read from the cache", result="3")


class Failing(Endpoint):
    """An endpoint that can be set, and whose get raises."""

    def __init__(self, error: BaseException, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._error = error

    def on_get(self) -> Any:
        raise self._error

    def on_set(self, value: Any) -> None:
        pass


def test_an_error_of_ones_own_at_reading_back_keeps_its_code_and_says_that_it_is_set() -> None:
    endpoint = Failing(OwnError(3), name="a", get_on_set=True)
    with pytest.raises(DriplineError, match="^a is set, but reading it back failed: channel 3 is gone$") as caught:
        endpoint.handle(OP_SET, "", [1], {})
    assert (caught.value.retcode, caught.value.result) == (1500, {"value_raw": 3})


def test_a_remark_at_reading_back_is_no_failure() -> None:
    warning = OwnWarning()
    with pytest.raises(OwnWarning) as caught:
        Failing(warning, name="a", get_on_set=True).handle(OP_SET, "", [1], {})
    assert caught.value is warning


@pytest.mark.parametrize("retcode", [None, "5"])
def test_an_error_without_a_code_is_no_remark_and_is_not_read_back(retcode: Any) -> None:
    class Refusing(Undecorated):
        def on_set(self, value: Any) -> None:
            error = DriplineError("no")
            error.retcode = retcode
            raise error

    with pytest.raises(DriplineError, match="^no$") as caught:
        Refusing(name="a", get_on_set=True).handle(OP_SET, "", [1], {})
    assert caught.value.result is None

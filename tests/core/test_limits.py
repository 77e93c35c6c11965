"""Which numbers a set accepts."""

import json
from typing import Any

import pytest

from dragonfly.core.constants import OP_GET, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineMethodNotSupportedError, DriplineValueError
from dragonfly.core.limits import checked_limits

BIG = 10**400


class Heater(Endpoint):
    """Notes what it is set to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_to: list[Any] = []

    def on_set(self, value: Any) -> None:
        self._set_to.append(value)


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        ([0, 5], 0),
        ([0, 5], 5),
        ([0, 5], 2.5),
        ([0, 5], "2.5"),
        ([0, 5], " 5 "),
        ([0, 5], "5e0"),
        ([0, 5], -0.0),
        ([-5, -1], -3),
        ([3, 3], 3),
        (["1e-3", "1e3"], 0.001),
        ([None, 5], -1e308),
        ([0, None], 1e308),
        ([0, None], BIG),
        ([None, 5], -BIG),
        ([None, None], 7),
    ],
)
def test_what_is_within_is_set_as_it_was_given(limits: list[Any], value: Any) -> None:
    heater = Heater(name="heater", limits=limits)
    heater.handle(OP_SET, "", [value], {})
    assert heater._set_to == [value] and type(heater._set_to[0]) is type(value)


@pytest.mark.parametrize(
    ("limits", "value", "text"),
    [
        ([0, 5], 5.0001, "5.0001 is outside its limits [0, 5]"),
        ([0, 5], -1e-9, "-1e-09 is outside its limits [0, 5]"),
        ([0, 5], "6", "'6' is outside its limits [0, 5]"),
        ([0, 5], BIG, f"{str(BIG)[:80]} is outside its limits [0, 5]"),
        ([None, 5], 6, "6 is outside its limits [open, 5]"),
        ([0, None], -1, "-1 is outside its limits [0, open]"),
        ([0, 1234567.5], 1234568, "1234568 is outside its limits [0, 1234567.5]"),
        (["1e-3", "1e3"], 0, "0 is outside its limits [0.001, 1000]"),
        ([0, 5], "high", "'high' is not a number; its limits are [0, 5]"),
        ([0, 5], "", "'' is not a number; its limits are [0, 5]"),
        ([0, 5], True, "True is not a number; its limits are [0, 5]"),
        ([0, 5], None, "None is not a number; its limits are [0, 5]"),
        ([0, 5], [1], "[1] is not a number; its limits are [0, 5]"),
        ([0, 5], {"value": 1}, "{'value': 1} is not a number; its limits are [0, 5]"),
        ([0, 5], "nan", "'nan' is not a number; its limits are [0, 5]"),
        ([0, 5], float("nan"), "nan is not a number; its limits are [0, 5]"),
        ([0, None], float("inf"), "inf is not a number; its limits are [0, open]"),
        ([0, None], "inf", "'inf' is not a number; its limits are [0, open]"),
        ([None, None], float("-inf"), "-inf is not a number; its limits are [open, open]"),
    ],
)
def test_what_is_outside_or_no_number_is_304_with_the_limits_and_nothing_is_set(
    limits: list[Any], value: Any, text: str
) -> None:
    heater = Heater(name="heater", limits=limits, get_on_set=True)
    with pytest.raises(DriplineValueError) as caught:
        heater.handle(OP_SET, "", [value], {})
    assert str(caught.value) == f"heater: {text}"
    assert heater._set_to == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, r"^limits must be a list \[low, high\], not 5$"),
        ("0, 5", "^limits must be a list"),
        ([], "^limits must be a list"),
        ([1], "^limits must be a list"),
        ([1, 2, 3], "^limits must be a list"),
        ({"low": 0}, "^limits must be a list"),
        (True, "^limits must be a list"),
        ([0, "high"], "^limits must be a number, not 'high'$"),
        ([True, 5], "^limits must be a number, not True$"),
        ([0, float("nan")], "^limits must be a number, not nan$"),
        ([float("-inf"), 0], "^limits must be a number, not -inf$"),
        ([0, BIG], "^limits must be a number, not 1000"),
        ([[0], 5], "^limits must be a number"),
        ([5, 0], r"^limits must be \[low, high\], and 5 is above 0$"),
        ([1234567.5, 1234567], r"^limits must be \[low, high\], and 1234567.5 is above 1234567$"),
    ],
)
def test_bad_limits_are_an_error_at_once(value: Any, text: str) -> None:
    with pytest.raises(DriplineValueError, match=text):
        Heater(name="heater", limits=value)


def test_without_limits_any_value_is_set() -> None:
    heater = Heater(name="heater")
    for value in ("high", None, True, BIG, [1]):
        heater.handle(OP_SET, "", [value], {})
    assert checked_limits(None) is None
    assert len(heater._set_to) == 5


def test_they_are_read_as_a_list_and_cannot_be_set() -> None:
    heater = Heater(name="heater", limits=[0, None])
    for value in (heater.handle(OP_GET, "limits", [], {}), heater.describe()["limits"]):
        assert json.loads(json.dumps(value)) == [0, None]
    with pytest.raises(DriplineMethodNotSupportedError, match=r"^heater\.limits can be read, not set$"):
        heater.handle(OP_SET, "limits", [[0, 1000]], {})
    assert heater.limits == (0, None)


def test_they_hold_for_the_value_alone() -> None:
    heater = Heater(name="heater", limits=[0, 5])
    heater.handle(OP_SET, "get_on_set", [True], {})
    assert heater.get_on_set is True

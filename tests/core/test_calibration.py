"""From raw value to value_raw and value_cal."""

import math
from typing import Any

import pytest

from dragonfly.core.calibration import calibrated, compiled
from dragonfly.core.exceptions import (
    DriplineHardwareError,
    DriplineValueError,
)
from dragonfly.core.expression import Expression
from tests.core.calibrations import SWITCH, payload


# Every calibration that is quoted of the original, its example files and its endpoints, with the original's result.
@pytest.mark.parametrize(
    ("calibration", "raw", "value"),
    [
        ("2*{}", "0.75", 1.5),
        ("2*{}", "1.49", 2.98),
        ("times3({})", "1.75", 5.25),
        ("times3({})", "1.79", 5.37),
        ("times2({})", "1.75", 3.5),
        ("1.*{}", "4.0", 4.0),
        ("1.*{}", "4.49", 4.49),
        ("1*{}", "0.75", 0.75),
        ("{}*1", "1.75", 1.75),
        ("1.2*{}", "2", 2.4),
        ("10**({}-6.0)", "3.5", 10 ** (3.5 - 6.0)),
        ("10**({}-6.0)", "+1.2E+00", 10 ** (1.2 - 6.0)),
        ("math.fabs({})", "-3.5", 3.5),
        ("fabs({})", "-3.5", 3.5),
        ("pt100_calibration({})", "120", 14.84755 + 120 / 0.387),
        ("cernox_calibration({}, 1912)", "0.5", 38.5),
        ("cernox_calibration({},1912)", "0.5", 38.5),
        # a sign under ** is the one difference: the original wrote -3**2
        ("{}**2", "-3", 9),
        ("{}**2", "3", 9),
        ({"CLOSE": "on", "OPEN": "off"}, "CLOSE", "on"),
        ({"CLOSE": "on", "OPEN": "off"}, "OPEN", "off"),
        ({"1": "enabled", "0": "disabled"}, "1", "enabled"),
        ({"0": "disabled", "1": "enabled"}, "0", "disabled"),
        ({"1": "positive", "0": "negative"}, "0", "negative"),
    ],
)
def test_a_calibration_of_the_originals_gives_the_originals_result(calibration: Any, raw: str, value: Any) -> None:
    result = payload(calibration, raw)
    assert result == {"value_cal": pytest.approx(value) if isinstance(value, float) else value, "value_raw": raw}


def test_value_cal_comes_first_as_the_tutorial_shows_it() -> None:
    assert list(payload("2*{}", "0.75").items()) == [("value_cal", 1.5), ("value_raw", "0.75")]


@pytest.mark.parametrize("calibration", [None, "2*{}", SWITCH])
@pytest.mark.parametrize("raw", [None, [], (), [None], [None, 1]])
def test_nothing_stays_nothing(calibration: Any, raw: Any) -> None:
    assert payload(calibration, raw) is None


@pytest.mark.parametrize("raw", ["0.75", 0.75, 0, False, "", "OVLD", {"a": 1}, math.inf])
def test_without_calibration_the_raw_value_is_alone(raw: Any) -> None:
    assert payload(None, raw) == {"value_raw": raw}


@pytest.mark.parametrize(("raw", "first"), [(["0.75", "9"], "0.75"), ((0.75, 9), 0.75), ([0.75], 0.75)])
def test_of_a_list_the_first_element_counts(raw: Any, first: Any) -> None:
    assert payload("2*{}", raw) == {"value_cal": 1.5, "value_raw": first}
    assert payload(None, raw) == {"value_raw": first}


@pytest.mark.parametrize("raw", ["NaN", "OVLD", "", " ", "inf", "on", [[1]], {"a": 1}])
def test_a_raw_value_that_is_no_number_is_304_and_still_in_the_payload(raw: Any) -> None:
    with pytest.raises(DriplineValueError, match="^peaches: the raw value .* is not a number$") as caught:
        payload("2*{}", raw)
    kept = raw[0] if isinstance(raw, list) else raw
    assert caught.value.result == {"value_raw": kept}


def test_a_raw_nan_that_is_a_float_stays_one() -> None:
    result = payload("2*{}", math.nan)
    assert math.isnan(result["value_cal"]) and math.isnan(result["value_raw"])


def test_a_calibrated_value_of_none_is_left_out() -> None:
    assert payload("pt100_calibration({})", "200") == {"value_raw": "200"}


@pytest.mark.parametrize(
    ("calibration", "raw", "text"),
    [
        ("cernox_calibration({}, 7)", "0.5", "peaches: calibration .* of '0.5' failed: 7"),
        ("1/{}", "0", "peaches: calibration '1/{}' of '0' failed: division by zero"),
        ("exp({})", "1000", "peaches: calibration .* failed: math range error"),
        (SWITCH, "AJAR", "peaches: raw value <'AJAR'> not in cal dict; it has 'CLOSE', 'OPEN'"),
    ],
)
def test_a_calibration_that_fails_is_304_with_the_raw_value_in_the_payload(
    calibration: Any, raw: str, text: str
) -> None:
    with pytest.raises(DriplineValueError, match=text) as caught:
        payload(calibration, raw)
    assert caught.value.retcode == 304
    assert caught.value.result == {"value_raw": raw}


def test_a_functions_own_error_keeps_its_text_and_the_raw_value() -> None:
    def lookup(value: float) -> float:
        raise DriplineHardwareError("no such sensor", result={"other": 1})

    with pytest.raises(DriplineValueError, match="^peaches: no such sensor$") as caught:
        calibrated("peaches", "4.2", compiled("lookup({})", {"lookup": lookup}))
    assert caught.value.result == {"value_raw": "4.2"}


@pytest.mark.parametrize(
    ("table", "raw", "value"),
    [
        ({0: "closed", 1: "open"}, 0, "closed"),
        ({0: "closed", 1: "open"}, "0", "closed"),
        ({0: "closed", 1: "open"}, " 1\r\n", "open"),
        ({0: "closed", 1: "open"}, 1.0, "open"),
        ({"0": "closed"}, 0, "closed"),
        ({"0": "text", 0: "number"}, "0", "text"),
        ({"0": "text", 0: "number"}, 0, "number"),
        ({0.5: "half"}, "0.5", "half"),
        ({0: "closed"}, ["0", "9"], "closed"),
        ({"OPEN": 1.5}, "OPEN", 1.5),
        ({"": "empty"}, "", "empty"),
    ],
)
def test_a_table_takes_a_reply_that_is_a_text_for_a_key_that_is_a_number(
    table: dict[Any, Any], raw: Any, value: Any
) -> None:
    assert payload(table, raw)["value_cal"] == value


@pytest.mark.parametrize("raw", ["open", "OPE", "", 0, 1.5, {"a": 1}, [["OPEN"]], "x" * 1_000_000])
def test_a_table_refuses_any_other_raw_value_and_lists_what_it_has(raw: Any) -> None:
    with pytest.raises(DriplineValueError, match="not in cal dict; it has 'CLOSE', 'OPEN'") as caught:
        payload(SWITCH, raw)
    assert len(str(caught.value)) < 200
    assert caught.value.result == {"value_raw": raw[0] if isinstance(raw, list) else raw}


@pytest.mark.parametrize("calibration", [5, 1.5, True, [], ["2*{}"], ("2*{}",), {1}, b"2*{}", object()])
def test_a_calibration_is_a_text_or_a_dict(calibration: Any) -> None:
    with pytest.raises(DriplineValueError, match="^calibration must be a text or a dict, not "):
        compiled(calibration, {})


def test_a_calibration_of_none_is_none_and_a_text_an_expression() -> None:
    assert compiled(None, {}) is None
    assert isinstance(compiled("2*{}", {}), Expression)


def test_an_expression_without_quotes_which_yaml_reads_as_an_empty_dict_is_refused() -> None:
    with pytest.raises(DriplineValueError, match="an expression such as '{}' needs quotes"):
        compiled({}, {})

"""From raw value to value_raw and value_cal."""

import builtins
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dragonfly.core.calibration import calibrate, calibrated, compiled
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineHardwareError,
    DriplineValueError,
)
from dragonfly.core.expression import Expression
from dragonfly.implementations.key_value_store import times2, times3


def pt100_calibration(resistance: float) -> float | None:
    """Give a temperature, as a class's own function does: the last interval of the original's table."""
    return None if resistance >= 185 else 14.84755 + resistance / 0.387


def cernox_calibration(resistance: float, serial_number: int) -> float:
    return {1912: 77.0}[serial_number] * resistance


def halved(value: float) -> float:
    return 0.5 * value


FUNCTIONS = {
    function.__name__: function for function in (times2, times3, pt100_calibration, cernox_calibration, halved)
}
SWITCH = {"CLOSE": "on", "OPEN": "off"}


def payload(calibration: Any, raw: Any) -> Any:
    return calibrated("peaches", raw, compiled(calibration, FUNCTIONS))


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


HOSTILE = [
    "__import__('os').system('x')",
    "open('/etc/passwd').read()",
    "9**9**9**9",
    "'%1000000000d' % 1",
    "'a'*10**10",
    "(lambda: 1)()",
    "x" * 2**20,
    "().__class__.__base__.__subclasses__()",
    "[c for c in ().__class__.__mro__]",
    "f'{__import__(\"os\")}'",
    "exec('import os')",
    "'{}'.format.__globals__",
    "{}.__class__.__mro__",
    "{0.__class__}",
    "10**10**10**10",
    "factorial(10**9)",
    "comb(10**6, 5*10**5)",
    "round(1, 10**9)",
    "ldexp(1, 10**9)",
    "1 >> 10**10",
    "'a'.__class__",
    "(" * 90 + "1" + ")" * 90,
    "nan",
    "#",
]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note each file that is opened, each program that is started and each module that is imported."""
    noted: list[str] = []
    importing = builtins.__import__

    def import_(name: str, *args: Any, **kwargs: Any) -> Any:
        if name not in ("simpleeval", "collections"):  # expression and ast import these themselves
            noted.append(f"import {name}")
        return importing(name, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "open", lambda *args, **kwargs: noted.append(f"open {args}"))
        patched.setattr(os, "open", lambda *args, **kwargs: noted.append(f"open {args}"))
        patched.setattr(os, "system", lambda command: noted.append(f"system {command}"))
        patched.setattr(builtins, "__import__", import_)
        yield noted


def outcome(action: Callable[[], Any]) -> Any:
    """Return the value of an action or its error 304, and see that it ends at once."""
    started = time.perf_counter()
    try:
        result = action()
    except DriplineValueError as err:
        result = err
    assert time.perf_counter() - started < 1
    return result


def test_the_watch_sees_what_an_evaluation_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(monkeypatch) as noted:
        eval("__import__('os').system('x')")
        eval("open('/etc/passwd')")
    assert noted == ["import os", "system x", "open ('/etc/passwd',)"]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:30])
def test_a_hostile_calibration_executes_nothing_and_ends_at_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payload("2*{}", 1)  # imports what an evaluation needs
    with watched(monkeypatch) as noted:
        result = outcome(lambda: payload(text, "1.5"))
    assert noted == []
    assert isinstance(result, DriplineValueError) or type(result["value_cal"]) in (int, float, str)


@pytest.mark.parametrize("calibration", [None, "2*{}", "'{}'", "1 if '{}' == 'ON' else 0", "float('{}')", SWITCH])
@pytest.mark.parametrize("raw", HOSTILE, ids=lambda text: text[:30])
def test_a_hostile_raw_value_executes_nothing_and_ends_at_once(
    calibration: Any, raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload("2*{}", 1)
    with watched(monkeypatch) as noted:
        result = outcome(lambda: payload(calibration, raw))
    assert noted == []
    if isinstance(result, DriplineValueError):
        assert result.result == {"value_raw": raw}
    else:
        assert result["value_raw"] == raw
        assert result.get("value_cal", "") in ("", 0, raw) or math.isnan(result["value_cal"])


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

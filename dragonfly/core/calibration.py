"""Calibrations: from the raw value of an instrument to `value_raw` and `value_cal`.

Rules:
1. No calibration: the raw value alone. A raw value of None stays None; of a list the first element counts.
2. A text is an expression of numbers, comparisons and named functions, evaluated by simpleeval: outside quotes `{}` is
   the raw value as a number; inside a quoted text it is the raw text, which never becomes part of the program.
   `{:FORMAT}` formats first.
3. A dict gives the value of each raw value.
4. A calibration that cannot be read is an error when the endpoint is made. One that fails is error 304, with the raw
   value still in the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from dragonfly.core.exceptions import DriplineError, DriplineValueError, reply_fields
from dragonfly.core.expression import Expression, Function


def calibrate(functions: Function | Iterable[Function] | None = None) -> Callable[[Function], Function]:
    """Decorate `on_get` so that it returns `{"value_cal": ..., "value_raw": ...}`.

    Args:
        functions: what the text form of a calibration may call besides the functions of `math`.
    """
    listed = [functions] if callable(functions) else list(functions or ())

    def decorate(on_get: Function) -> Function:
        @wraps(on_get)
        def calibrated_on_get(self: Any, *args: Any, **kwargs: Any) -> Any:
            return self.calibrated(on_get(self, *args, **kwargs))

        # Endpoint reads them when it compiles its calibration.
        vars(calibrated_on_get)["calibration_functions"] = {function.__name__: function for function in listed}
        return calibrated_on_get

    # Written without parentheses, the one function is on_get itself.
    if callable(functions) and functions.__name__ == "on_get":
        return calibrate()(functions)
    return decorate


def functions_of(cls: type) -> dict[str, Function]:
    """Return what `calibrate` lists for the `on_get` of a class and of those that it derives from, by name."""
    functions: dict[str, Function] = {}
    for ancestor in reversed(cls.__mro__):
        functions.update(getattr(vars(ancestor).get("on_get"), "calibration_functions", {}))
    return functions


def compiled(calibration: object, functions: Mapping[str, Function]) -> Callable[[Any], Any] | None:
    """Return the function from raw value to calibrated value that a `calibration` key describes.

    Raises:
        DriplineValueError: it cannot be read, or is neither text nor dict.
    """
    if calibration is None:
        return None
    if isinstance(calibration, str):
        return Expression(calibration, functions)
    if calibration == {}:
        raise DriplineValueError("calibration is an empty dict: an expression such as '{}' needs quotes")
    if isinstance(calibration, dict):
        return _Table(calibration)
    raise DriplineValueError(f"calibration must be a text or a dict, not {calibration!r:.80}")


def calibrated(name: str, raw: Any, calibration: Callable[[Any], Any] | None) -> dict[str, Any] | None:
    """Return the payload for a raw value.

    Args:
        name: the endpoint, for the error's text.
        raw: what the instrument gave.
        calibration: what `compiled` returned.

    Raises:
        DriplineValueError: the calibration fails; the payload still holds value_raw.
    """
    if isinstance(raw, dict) and "value_raw" in raw:  # such as what a base class's on_get gave, already calibrated
        is_done = calibration is None or "value_cal" in raw
        return raw if is_done else {**(calibrated(name, raw["value_raw"], calibration) or {}), **raw}
    if isinstance(raw, (list, tuple)):
        raw = raw[0] if raw else None
    if raw is None:
        return None
    if calibration is None:
        return {"value_raw": raw}
    try:
        value = calibration(raw)
    except DriplineError as err:
        raise DriplineValueError(f"{name}: {err}", result={"value_raw": raw}) from err
    except Exception as err:  # whatever a function of somebody's class raises, the raw value is there
        text = f"{name}: the calibration of {raw!r:.80} failed: {reply_fields(err)[1]}"
        raise DriplineValueError(text, result={"value_raw": raw}) from err
    return {"value_raw": raw} if value is None else {"value_cal": value, "value_raw": raw}


class _Table:
    """The dict form."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._values = values
        # An instrument's reply is text where the YAML file may have a number: 0 also stands for '0'.
        self._by_text = {str(key): value for key, value in values.items()}

    def __call__(self, raw: Any) -> Any:
        """Return the value that the dict has for a raw value."""
        try:
            if raw in self._values:
                return self._values[raw]
        except TypeError:  # a raw value that cannot be a key
            pass
        else:
            text = raw.strip() if isinstance(raw, str) else str(raw)
            if text in self._by_text:
                return self._by_text[text]
        accepted = ", ".join(repr(key) for key in self._values)
        raise DriplineValueError(f"raw value <{raw!r:.80}> not in cal dict; it has {accepted}")

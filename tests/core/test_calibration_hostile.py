"""A calibration or a raw value that means harm executes nothing."""

import builtins
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dragonfly.core.exceptions import (
    DriplineValueError,
)
from tests.core.calibrations import SWITCH, payload

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

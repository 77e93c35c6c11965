"""Calls that a config file asks for: when a service has started, when it stops, when the mesh is away.

Rules:
1. A call is a mapping of target, method, args and kwargs. It does what a request of that kind would do: limits,
   get_on_set and log_on_set hold, a lock does not, since the service itself acts.
2. `on_set`, as files of the original say, is the operation set; so for the other operations. Any other method is a
   command. `routing_key_specifier` among the kwargs is the attribute that is set.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dragonfly.core.constants import OP_CMD, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.near_miss import did_you_mean
from dragonfly.core.numbers import checked_number

SPECIFIER_KEY = "routing_key_specifier"
_KEYS = ("target", "method", "args", "kwargs")
_OPERATIONS = {"get": OP_GET, "set": OP_SET, "send": OP_SEND, "run": OP_RUN}


class PlacedDict(dict[str, Any]):
    """A mapping of a config file that knows where it stands there.

    Args:
        entries: the mapping.
        file: the file as the caller named it.
        line: counted from 1.
    """

    def __init__(self, entries: dict[str, Any], file: str, line: int) -> None:
        super().__init__(entries)
        self.file = file
        self.line = line


class Call(NamedTuple):
    """One call.

    Args:
        place: where it stands in its file, for error texts.
        line: of the file, counted from 1; None where it is from no file.
        target: name of the endpoint.
        operation: one of the constants OP_...
        specifier: the command, or the attribute that is set or read.
    """

    place: str
    line: int | None
    target: str
    operation: int
    specifier: str
    args: list[Any]
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.place}: {self.target}"


class BrokerLost(NamedTuple):
    """What is called when the mesh was away for some time, `after`, s."""

    after: float
    calls: list[Call]


def checked_calls(key: str, value: Any) -> list[Call]:
    """Return the calls that a key asks for.

    Raises:
        DriplineValueError: one of them cannot be read.
    """
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise DriplineValueError(f"{key} must be a list of calls, each with target and method, not {value!r:.80}")
    calls = []
    for number, entry in enumerate(value):
        place, line = f"{key}[{number}]", None
        if isinstance(entry, PlacedDict):
            place, line = f"{key} in line {entry.line} of {entry.file}", entry.line
        try:
            calls.append(checked_call(entry, place, line))
        except DriplineValueError as err:
            raise DriplineValueError(f"{place}: {err}") from err
    return calls


def checked_call(entry: Any, place: str, line: int | None = None) -> Call:
    """Return the call that an entry of such a list is.

    Args:
        entry: the entry.
        place: where it stands, for the texts of errors that it runs into later.
        line: of its file, counted from 1.

    Raises:
        DriplineValueError: it cannot be read; the text does not name the place.
    """
    if not isinstance(entry, dict):
        raise DriplineValueError(f"a call has the keys target and method, and this is {entry!r:.80}")
    for given in entry:
        if given not in _KEYS:
            hint = did_you_mean(str(given), _KEYS, f"its keys are {', '.join(_KEYS)}")
            raise DriplineValueError(f"a call has no key {given!r}{hint}")
    target, method = (_text(wanted, entry.get(wanted)) for wanted in ("target", "method"))
    args = entry.get("args")
    if not isinstance(args, list):
        args = [] if args is None else [args]
    kwargs = entry.get("kwargs") or {}
    if not isinstance(kwargs, dict):
        raise DriplineValueError(f"the kwargs of a call must be a mapping, not {kwargs!r:.80}")
    kwargs = dict(kwargs)
    specifier = str(kwargs.pop(SPECIFIER_KEY, "")).replace("-", "_")
    operation = _OPERATIONS.get(method.removeprefix("_").removeprefix("on_"))
    if operation is None:
        return Call(place, line, target, OP_CMD, method, args, kwargs)
    return Call(place, line, target, operation, specifier, args, kwargs)


def checked_broker_lost(value: Any) -> BrokerLost | None:
    """Return what `on_broker_lost` asks for.

    Raises:
        DriplineValueError: it cannot be read.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"after", "calls"}:
        raise DriplineValueError(f"on_broker_lost must have the keys after (seconds) and calls, not {value!r:.80}")
    after = checked_number("after", value["after"], 0, "seconds")
    return BrokerLost(after, checked_calls("on_broker_lost", value["calls"]))


def _text(key: str, value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise DriplineValueError(f"a call needs the key {key}, a text, not {value!r:.80}")

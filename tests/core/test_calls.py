"""Calls of a config file: what they may look like, and what they mean."""

from typing import Any

import pytest

from dragonfly.core.calls import PlacedDict, checked_broker_lost, checked_calls
from dragonfly.core.constants import OP_CMD, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import DriplineValueError


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        ({"target": "peaches", "method": "on_set", "args": 3.1}, (OP_SET, "", [3.1], {})),
        ({"target": "peaches", "method": "_on_set", "args": [3.1]}, (OP_SET, "", [3.1], {})),
        ({"target": "peaches", "method": "set", "args": [3.1]}, (OP_SET, "", [3.1], {})),
        ({"target": "peaches", "method": "on_get"}, (OP_GET, "", [], {})),
        ({"target": "peaches", "method": "on_send", "args": ["*RST", "*CLS"]}, (OP_SEND, "", ["*RST", "*CLS"], {})),
        ({"target": "peaches", "method": "run", "kwargs": {"n": 2}}, (OP_RUN, "", [], {"n": 2})),
        ({"target": "peaches", "method": "reset", "args": None, "kwargs": None}, (OP_CMD, "reset", [], {})),
        ({"target": "peaches", "method": "move", "args": [1], "kwargs": {"y": 2}}, (OP_CMD, "move", [1], {"y": 2})),
        (
            {
                "target": "peaches",
                "method": "_on_set",
                "args": "on",
                "kwargs": {"routing_key_specifier": "logging-status"},
            },
            (OP_SET, "logging_status", ["on"], {}),
        ),
    ],
)
def test_a_call_does_what_a_request_of_its_kind_would(entry: dict[str, Any], meaning: tuple[Any, ...]) -> None:
    (call,) = checked_calls("setup_calls", [entry])
    assert (call.target, call.operation, call.specifier, call.args, call.kwargs) == ("peaches", *meaning)
    assert call.place == "setup_calls[0]"


def test_a_call_from_a_file_knows_its_line() -> None:
    entry = PlacedDict({"target": "peaches", "method": "reset"}, "lab.yaml", 7)
    (call,) = checked_calls("setup_calls", [entry])
    assert str(call) == "setup_calls in line 7 of lab.yaml: peaches"
    assert call.line == 7


def test_the_kwargs_of_the_file_are_not_changed() -> None:
    kwargs = {"routing_key_specifier": "unit"}
    checked_calls("setup_calls", [{"target": "peaches", "method": "set", "args": 1, "kwargs": kwargs}])
    assert kwargs == {"routing_key_specifier": "unit"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"target": "peaches"}, "setup_calls must be a list of calls, each with target and method"),
        ("peaches", "setup_calls must be a list of calls"),
        (["peaches"], r"setup_calls\[0\]: a call has the keys target and method, and this is 'peaches'"),
        ([{"target": "p", "method": "m"}, {"target": "p"}], r"setup_calls\[1\]: a call needs the key method"),
        ([{"method": "m"}], "a call needs the key target, a text, not None"),
        ([{"target": 3, "method": "m"}], "a call needs the key target, a text, not 3"),
        ([{"target": "p", "method": ""}], "a call needs the key method"),
        ([{"target": "p", "mehtod": "m"}], "a call has no key 'mehtod'; did you mean method"),
        ([{"target": "p", "method": "m", "kwargs": [1]}], r"the kwargs of a call must be a mapping, not \[1\]"),
        ([{"target": "p", "method": "m", 1: 2}], "a call has no key 1"),
    ],
)
def test_a_call_that_cannot_be_read_is_refused(value: Any, text: str) -> None:
    with pytest.raises(DriplineValueError, match=text):
        checked_calls("setup_calls", value)


def test_no_calls_are_an_empty_list() -> None:
    assert checked_calls("setup_calls", None) == checked_calls("setup_calls", []) == []


def test_what_is_done_without_a_broker_has_a_time_and_calls() -> None:
    lost = checked_broker_lost({"after": "1e1", "calls": [{"target": "heater", "method": "off"}]})
    assert lost is not None
    assert (lost.after, [call.target for call in lost.calls]) == (10.0, ["heater"])
    assert checked_broker_lost(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "on_broker_lost must have the keys after"),
        ({"after": 3}, "on_broker_lost must have the keys after"),
        ({"after": 3, "calls": [], "more": 1}, "on_broker_lost must have the keys after"),
        ({"after": -1, "calls": []}, "after must be a number of seconds of at least 0, not -1"),
        ({"after": "soon", "calls": []}, "after must be a number of seconds"),
        ({"after": 3, "calls": "off"}, "on_broker_lost must be a list of calls"),
    ],
)
def test_what_cannot_be_done_without_a_broker_is_refused(value: Any, text: str) -> None:
    with pytest.raises(DriplineValueError, match=text):
        checked_broker_lost(value)

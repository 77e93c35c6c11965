"""help() of a class that YAML can name: its own sentences, and every key that it takes."""

import pickle
import pydoc
import re
import subprocess
import sys
from typing import Any

import pytest

import dragonfly
from dragonfly import core, implementations
from dragonfly.core import Endpoint, Provider, Spime, fancy_doc
from dragonfly.core.documentation import documented_keys, merge_documentation, own_documentation
from dragonfly.implementations import kv_store_key
from dragonfly.loader.keys import RESERVED, keys_of

# The tutorial's page, with the eight lines that its pager shows; the spelling is the tutorial's, too.
TUTORIAL = """\
A key in the KV store.

Keyword Args:
    log_on_set (bool): flag to enable logging the new value whenever a new one is set
    name (str): unique identifier across all dripline services (used to determine routing key)
    calibration (str||dict): string use to process raw get result (with .format(raw)) or a dict to use for the same purpose where raw must be a key
    get_on_set (bool): flag to toggle running 'on_get' after each 'on_set'
    log_interval (float): minimum time in seconds between sequential log events (note that this may or may not produce an actual log broadcast)
    max_interval (float): If > 0, any log event exceding this number of seconds since the last broadcast will trigger a broadcast.
    max_fractional_change (float): If > 0, any log event which produces a value which differs from the previous value by more than this amount (expressed as a fraction, ie 10% change is 0.1) will trigger a broadcast
    alert_routing_key (str): routing key for the alert message send when broadcasting a logging event result. The default value of 'sensor_value' is valid for DataLoggers which represent physical quantities being stored to the slow controls database tables

Further Keyword Args:
    initial_value (any): """  # noqa: E501

LINE = re.compile(r"(?P<name>\w+) \((?P<type>[\w|]+)\): (?P<meaning>\S.*)")
UNIT = re.compile(r"\b(seconds?|bytes|degrees|fraction|unit|how many|count)\b")

# Every class that a block of a config file can name without a file of its own.
NAMED = {
    name: thing
    for room in (core, implementations)
    for name in room.__all__
    if isinstance(thing := getattr(room, name), type) and issubclass(thing, Endpoint)
}


class Detector(Spime):
    """Counts muons.

    The first of two paragraphs.

    Further Keyword Args:
        threshold (float): smallest pulse that
            counts, in volts: the unit
            of the discriminator
        log_interval (float): as everywhere, in seconds
        pulses (int): how many make an event

    Example:
        threshold: 3

    Raises:
        DriplineValueError: the threshold is negative.
    """

    def __init__(self, threshold: float = 0.0, pulses: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class Wordless(Detector):
    pass


class Closed(Detector):
    """Takes no other keys.

    Further Keyword Args:
        port (int): number of the port, without unit
    """

    def __init__(self, port: int) -> None:
        super().__init__(name=f"port{port}")


def lines_of(cls: type) -> list[str]:
    return (cls.__doc__ or "").splitlines()


def test_help_shows_the_tutorials_lines_in_its_order() -> None:
    assert (kv_store_key.__doc__ or "").startswith(TUTORIAL)


def test_help_prints_them_one_to_a_line_below_the_real_module_and_base() -> None:
    shown = [line.removeprefix(" |").strip() for line in pydoc.plain(pydoc.render_doc(kv_store_key)).splitlines()]
    assert shown[0].endswith("class kv_store_key in module dragonfly.implementations.key_value_store")
    assert "class kv_store_key(dragonfly.core.spime.Spime)" in shown
    wanted = [line.strip() for line in TUTORIAL.splitlines()[:-1]]
    start = shown.index(wanted[0])
    assert shown[start : start + len(wanted)] == wanted


def test_own_sentences_come_first_and_own_sections_last() -> None:
    assert lines_of(Detector)[:4] == ["Counts muons.", "", "The first of two paragraphs.", ""]
    assert lines_of(Detector)[-5:] == [
        "Example:",
        "    threshold: 3",
        "",
        "Raises:",
        "    DriplineValueError: the threshold is negative.",
    ]


def test_a_line_that_goes_on_becomes_one_line() -> None:
    line = "threshold (float): smallest pulse that counts, in volts: the unit of the discriminator"
    assert documented_keys(Detector)["threshold"] == line
    assert f"    {line}" in lines_of(Detector)


def test_each_key_is_listed_once_and_the_nearest_class_wins() -> None:
    names = [line.split()[0] for line in lines_of(Detector) if line.startswith("    ") and "(" in line]
    assert len(names) == len(set(names))
    assert documented_keys(Detector)["log_interval"] == "log_interval (float): as everywhere, in seconds"


def test_a_class_without_a_docstring_lists_its_keys_and_borrows_no_sentence() -> None:
    assert own_documentation(Wordless) is None
    assert lines_of(Wordless)[0] == "Keyword Args:"
    assert documented_keys(Wordless) == documented_keys(Detector)


def test_keys_that_cannot_be_passed_on_are_not_listed() -> None:
    assert list(documented_keys(Closed)) == ["port"]
    assert "Keyword Args:" not in lines_of(Closed)


def test_the_own_docstring_stays_in_reach() -> None:
    own = own_documentation(kv_store_key)
    assert own is not None
    assert own.startswith("A key in the KV store.")
    assert "log_interval" not in own
    assert own_documentation(Endpoint) == Endpoint.__doc__


def test_merging_twice_changes_nothing() -> None:
    before = Detector.__doc__
    merge_documentation(Detector)
    assert Detector.__doc__ == before


def test_classes_are_not_replaced_so_pickle_and_super_find_them() -> None:
    assert pickle.loads(pickle.dumps(kv_store_key)) is kv_store_key
    assert kv_store_key.__bases__ == (Spime,)
    assert Detector(name="muons", log_interval=3).log_interval == 3


def test_fancy_doc_of_the_first_releases_returns_the_class_itself() -> None:
    assert fancy_doc(Detector) is Detector


def test_python_without_docstrings_has_nothing_to_show_and_runs() -> None:
    code = "import dragonfly; c = dragonfly.implementations.kv_store_key; print(c.__doc__, c(name='a').name)"
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("None a\n", "")


def test_there_is_something_to_sweep_over() -> None:
    assert {"kv_store", "kv_store_key", "Service", "Spimescape", "Spime", "Provider", "Endpoint"} <= set(NAMED)
    assert dragonfly.implementations.kv_store_key in NAMED.values()


@pytest.mark.parametrize("name", NAMED)
def test_the_documented_keys_are_those_that_the_class_takes(name: str) -> None:
    cls = NAMED[name]
    expected = {"name", *keys_of(cls).accepted}
    if issubclass(cls, Provider):
        expected.add("endpoints")
    assert set(documented_keys(cls)) == expected
    assert expected & set(RESERVED) <= {"name", "endpoints"}


@pytest.mark.parametrize("name", NAMED)
def test_each_key_has_a_type_and_each_number_a_unit(name: str) -> None:
    for line in documented_keys(NAMED[name]).values():
        match = LINE.fullmatch(line)
        assert match is not None, line
        if {"int", "float"} & set(match["type"].split("||")):
            assert UNIT.search(match["meaning"]), line

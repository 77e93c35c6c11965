"""Values are YAML's, without its surprises."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragonfly.loader.document import read_document
from dragonfly.loader.problem import Report
from dragonfly.loader.values import ValueReader

WriteFile = Callable[..., Path]


def read(path: Path) -> tuple[Any, list[str]]:
    report = Report("f")
    value = ValueReader(report).value(read_document(path), "p")
    return value, [str(problem) for problem in report.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("abc", "abc"),
        ("'2*{}'", "2*{}"),
        ("2*{}", "2*{}"),
        ("30", 30),
        ("+30", 30),
        ("-30", -30),
        ("0", 0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("08", "08"),
        ("'010'", "010"),
        ("'1:30'", "1:30"),
        ("12:99", "12:99"),
        ("4.00", 4.0),
        ("0.75", 0.75),
        ("01.5", 1.5),
        ("1e3", "1e3"),
        ("1.0e+3", 1000.0),
        (".inf", math.inf),
        ("on", True),
        ("No", False),
        ("'on'", "on"),
        ("~", None),
        ("", None),
        ("2015-12-04", "2015-12-04"),
        ("2015-12-04T17:25:03Z", "2015-12-04T17:25:03Z"),
        ("=", "="),
        ("<<", "<<"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("[1, a, [b]]", [1, "a", ["b"]]),
        ("{1: a, 'on': b, 2.5: c}", {1: "a", "on": "b", 2.5: "c"}),
        ("{<<: {a: 1, b: 2}, b: 3}", {"a": 1, "b": 3}),
        ("{<<: [{a: 1}, {a: 2, b: 2}]}", {"a": 1, "b": 2}),
    ],
)
def test_a_value_is_read(write: WriteFile, written: str, value: Any) -> None:
    read_value, problems = read(write(f"x: {written}\n"))
    assert problems == []
    assert read_value == {"x": value}
    assert type(read_value["x"]) is type(value)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("1:30", "YAML reads 1:30 in base 60, as 90: write 90, or '1:30' for the text"),
        ("-1:30:00", "YAML reads -1:30:00 in base 60, as -5400: write -5400, or '-1:30:00' for the text"),
        ("1:30.5", "YAML reads 1:30.5 in base 60, as 90.5: write 90.5, or '1:30.5' for the text"),
        ("010", "YAML reads 010 in base 8, as 8: write 10, or '010' for the text"),
        ("-0010", "YAML reads -0010 in base 8, as -8: write -10, or '-0010' for the text"),
        ("007", "YAML reads 007 in base 8, as 7: write 7, or '007' for the text"),
        ("{010: a}", "YAML reads 010 in base 8"),
        ("[1:30]", "YAML reads 1:30 in base 60"),
        ("!!int abc", "'abc' cannot be read as int"),
        ("!!int ''", "'' cannot be read as int"),
        ("!!float abc", "'abc' cannot be read as float"),
        ("!!bool abc", "'abc' cannot be read as bool"),
        ("9" * 5000, "'9999999999999999999999999999999999999999' cannot be read as int"),
        ("0x" + "f" * 5000, "'0xffffffffffffffffffffffffffffffffffffff' cannot be read as int"),
        ("0" + "7" * 5000, "'0777777777777777777777777777777777777777' cannot be read as int"),
        ("!!python/object/apply:os.system ['true']", "the tag !!python/object/apply:os.system is refused"),
        ("!!python/name:os.system ''", "the tag !!python/name:os.system is refused"),
        ("!mine {a: 1}", "the tag !mine is refused"),
        ("!!set {a}", "the tag !!set is refused"),
        ("!!binary aGVsbG8=", "the tag !!binary is refused"),
        ("{on: 1}", "YAML reads the key on as a truth value: put it in quotes"),
        ("{null: 1}", "YAML reads the key null as nothing: put it in quotes"),
        ("{[a]: 1}", "a key must be a text or a number, not a list or a block"),
        ("{a: 1, a: 1}", "the key 'a' stands twice in this block, first in line 1"),
        ("{1: 1, 1.0: 1}", "the key 1.0 stands twice in this block, first in line 1"),
        ("{<<: 3}", "<<: needs a block, or a list of blocks, to take keys from"),
    ],
    ids=lambda text: text[:20],
)
def test_a_surprise_is_an_error_that_says_how_to_write_it(write: WriteFile, written: str, problem: str) -> None:
    _, problems = read(write(f"x: {written}\n"))
    assert len(problems) == 1
    assert problems[0].startswith(f"f:1: p: {problem}")


def test_a_large_hexadecimal_number_is_read(write: WriteFile) -> None:
    assert read(write("x: 0xFFFFFFFFFFFFFFFF\n")) == ({"x": 2**64 - 1}, [])


def test_an_alias_gives_a_copy(write: WriteFile) -> None:
    value, _ = read(write("x: &a [1]\ny: *a\n"))
    assert value == {"x": [1], "y": [1]}
    assert value["x"] is not value["y"]


def test_the_line_of_each_problem_is_its_own(write: WriteFile) -> None:
    _, problems = read(write("x:\n  - 1:30\n  - a: 010\n    on: b\n"))
    assert [problem.split(":")[1] for problem in problems] == ["2", "4", "3"]

"""Times in the command line."""

import argparse

import pytest

from dragonfly.subcommands.seconds import seconds


@pytest.mark.parametrize(("text", "expected"), [("1", 1.0), ("0.001", 0.001), ("1e3", 1000.0), ("4294967", 4294967.0)])
def test_a_time_is_a_number_of_a_millisecond_and_more(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["0", "9e-4", "1e-9", "1e-320", "-1", "nan", "inf", "4294968", "soon", ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="^a number of seconds from 0.001 to 4294967 was expected"):
        seconds(text)

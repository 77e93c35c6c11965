"""Times in the command line."""

import argparse

import pytest

from dragonfly.subcommands.seconds import seconds


@pytest.mark.parametrize(("text", "expected"), [("1", 1.0), ("0.5", 0.5), ("1e3", 1000.0), ("4294967", 4294967.0)])
def test_a_time_is_a_number_above_0(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "4294968", "soon", ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="a number of seconds above 0"):
        seconds(text)

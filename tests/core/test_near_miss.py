"""What a mistyped word was probably meant to be."""

import pytest

from dragonfly.core.near_miss import did_you_mean, near_miss


@pytest.mark.parametrize(
    ("word", "match"),
    [("log_intervall", "log_interval"), ("LOG_INTERVAL", "log_interval"), ("name", None), ("", None)],
)
def test_a_near_miss_is_found(word: str, match: str | None) -> None:
    assert near_miss(word, ["log_interval", "calibration"]) == match


def test_a_hint_ends_a_sentence() -> None:
    assert did_you_mean("peachs", ["peaches"]) == "; did you mean peaches?"
    assert did_you_mean("plums", ["peaches"]) == ""
    assert did_you_mean("xyz", ["peaches"], "it has peaches") == "; it has peaches"

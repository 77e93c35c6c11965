"""A periodic action that raises is told once, and the next one runs."""

import logging

import pytest

from dragonfly.core.exceptions import (
    DriplineError,
    DriplineHardwareError,
)
from tests.core import pinger as pinger_module
from tests.core.pinger import LOGGER, pinger, raises


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words for it")


ERRORS = [
    (DriplineHardwareError("no answer"), "no answer"),
    (OSError("gone"), "OSError: gone"),
    (RuntimeError(), "RuntimeError"),
    (DriplineError(), ""),
    (MuteError(), "MuteError"),
    (SystemExit("the instrument's library gives up"), "SystemExit: the instrument's library gives up"),
    (KeyboardInterrupt(), "KeyboardInterrupt"),
]


@pytest.mark.parametrize(("error", "text"), ERRORS, ids=lambda value: type(value).__name__)
def test_one_that_raises_is_said_once_and_the_next_one_runs(
    caplog: pytest.LogCaptureFixture, error: BaseException, text: str
) -> None:
    endpoint, service = pinger()
    endpoint._then = raises(error)
    endpoint.switch("on")
    with caplog.at_level(logging.INFO, LOGGER):
        service.clock.advance(100)
    assert len(endpoint._times) == 11
    assert endpoint.schedule_status is True
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert len(said) == 1
    assert said[0][0] == "ERROR"
    assert said[0][1].startswith(f"pinger: its periodic action failed, and is tried again: {text}")
    is_ours = isinstance(error, DriplineError)
    assert (pinger_module.__file__ in said[0][1]) is not is_ours, "where in a class it arose helps who wrote it"


@pytest.mark.parametrize("error", [DriplineHardwareError("no answer"), DriplineError(), RuntimeError()])
def test_that_it_succeeds_again_is_said_once(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    endpoint, service = pinger()
    endpoint._then = raises(error)
    endpoint.switch("on")
    service.clock.advance(25)
    caplog.clear()
    endpoint._then = lambda: None
    service.clock.advance(50)
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [("WARNING", "pinger: its periodic action succeeds again")]


def test_each_new_reason_is_said_and_one_that_comes_back_after_a_success_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint, service = pinger()
    course = ["a", "a", "b", "b", "", "b", "b", ""]

    def action() -> None:
        text = course[len(endpoint._times) - 1]
        if text:
            raise DriplineHardwareError(text)

    endpoint._then = action
    endpoint.switch("on")
    with caplog.at_level(logging.INFO, LOGGER):
        service.clock.advance(75)
    said = [message.rpartition(": ")[2] for message in caplog.messages]
    assert said == [*"ab", "its periodic action succeeds again", "b", "its periodic action succeeds again"]

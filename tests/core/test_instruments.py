"""The endpoints of a service are started and stopped, each once, whatever one of them does."""

import threading
from typing import Any

import pytest

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineHardwareConnectionError
from dragonfly.core.instruments import Instruments
from tests.waiting import wait_until


class Noted(Endpoint):
    """Writes down what is done with it."""

    def __init__(self, name: str, log: list[str], raises: dict[str, BaseException] | None = None) -> None:
        super().__init__(name)
        self._log = log
        self._raises = raises or {}

    def start(self) -> None:
        self._note("start")

    def stop(self) -> None:
        self._note("stop")

    def _note(self, what: str) -> None:
        self._log.append(f"{what} {self.name}")
        if what in self._raises:
            raise self._raises[what]


def never() -> bool:
    return False


def several(log: list[str], **raises: dict[str, BaseException]) -> list[Noted]:
    return [Noted(name, log, raises.get(name)) for name in "abc"]


def test_they_are_stopped_in_the_opposite_order_and_once() -> None:
    log: list[str] = []
    instruments = Instruments()
    instruments.start(several(log), never)
    instruments.stop()
    instruments.stop()
    assert log == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]


@pytest.mark.parametrize("error", [DriplineHardwareConnectionError("it is off"), ConnectionRefusedError("it is off")])
def test_an_instrument_that_is_off_does_not_keep_the_others_from_being_started(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    Instruments().start(several(log, a={"start": error}), never)
    assert log == ["start a", "start b", "start c"]
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith("a could not be started: ")


def test_a_fault_of_a_class_is_not_hidden_and_what_was_started_is_stopped() -> None:
    log: list[str] = []
    instruments = Instruments()
    with pytest.raises(AttributeError, match="no such thing"):
        instruments.start(several(log, b={"start": AttributeError("no such thing")}), never)
    instruments.stop()
    assert log == ["start a", "start b", "stop b", "stop a"]


@pytest.mark.parametrize("error", [AttributeError("no socket"), SystemExit(3), OSError("gone")])
def test_whatever_one_raises_when_it_is_stopped_the_others_are_stopped(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    instruments = Instruments()
    instruments.start(several(log, b={"stop": error}), never)
    instruments.stop()
    assert log[3:] == ["stop c", "stop b", "stop a"]
    assert caplog.messages[0].startswith(f"b could not be stopped: {type(error).__name__}: ")
    assert caplog.messages[0].endswith(")") and f"({__file__}:" in caplog.messages[0]


def test_when_nobody_wants_the_service_any_more_no_further_one_is_started() -> None:
    log: list[str] = []
    instruments = Instruments()
    instruments.start(several(log), lambda: len(log) == 2)
    instruments.stop()
    assert log == ["start a", "start b", "stop b", "stop a"]


class Slow(Endpoint):
    """Takes as long to start as the test wants."""

    def __init__(self, log: list[str]) -> None:
        super().__init__("slow")
        self.entered, self.go_on = threading.Event(), threading.Event()
        self._log = log

    def start(self) -> None:
        self.entered.set()
        assert self.go_on.wait(10)
        self._log.append("start slow")

    def stop(self) -> None:
        self._log.append("stop slow")


def test_a_stop_waits_for_the_one_that_is_being_started_and_nothing_starts_after_it() -> None:
    log: list[str] = []
    slow = Slow(log)
    instruments = Instruments()
    starting = threading.Thread(target=instruments.start, args=([slow, *several(log)], never))
    starting.start()
    assert slow.entered.wait(10)
    stopping = threading.Thread(target=instruments.stop)
    stopping.start()
    slow.go_on.set()
    for thread in (starting, stopping):
        thread.join(10)
    started: list[Any] = [line.removeprefix("start ") for line in log if line.startswith("start")]
    stopped = [line.removeprefix("stop ") for line in log if line.startswith("stop")]
    assert started[0] == "slow"
    assert stopped == started[::-1]
    instruments.start(several(log), never)
    assert wait_until(lambda: len(log) == 2 * len(started))

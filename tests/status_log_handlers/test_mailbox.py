"""The mailbox: nobody waits for it, and what it cannot post is counted."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from dragonfly.status_log_handlers import mailbox as module
from dragonfly.status_log_handlers.mailbox import LIMIT, LaterError, Mailbox, RefusedError
from dragonfly.status_log_handlers.muting import Muting
from dragonfly.subcommands.signals import interrupted_by_sigterm
from tests.waiting import wait_until


class Place:
    """Takes texts, or fails as it is told; where it is closed, whoever posts waits."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tries = 0
        self.errors: list[Exception] = []
        self.error_of: dict[str, Exception] = {}
        self.open = threading.Event()
        self.open.set()

    def post(self, text: str) -> None:
        self.tries += 1
        assert self.open.wait(10)
        if self.errors:
            raise self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]
        if text in self.error_of:
            raise self.error_of[text]
        self.texts.append(text)


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.open.set()


@pytest.fixture
def box(place: Place) -> Iterator[Mailbox]:
    box = Mailbox("the place", place.post, first_retry=0.01)
    yield box
    place.open.set()
    box.stop()


def arrived(place: Place, *texts: str) -> bool:
    return wait_until(lambda: place.texts == list(texts))


def test_texts_are_posted_in_their_order(box: Mailbox, place: Place) -> None:
    for text in "abc":
        box.put(text)
    assert arrived(place, "a", "b", "c")


def test_a_stop_posts_what_waits(box: Mailbox, place: Place) -> None:
    for text in "abc":
        box.put(text)
    box.stop()
    assert place.texts == ["a", "b", "c"]
    box.put("d")
    box.stop()
    assert place.texts == ["a", "b", "c"]


def test_what_comes_again_is_counted_and_told_afterwards(place: Place) -> None:
    box = Mailbox("the place", place.post, Muting(0.2))
    for _ in range(4):
        box.put("a")
    assert arrived(place, "a", "a (muted 3)")
    box.stop()
    assert place.texts == ["a", "a (muted 3)"]


def test_what_was_muted_is_told_at_a_stop(box: Mailbox, place: Place) -> None:
    for _ in range(3):
        box.put("a")
    box.stop()
    assert place.texts == ["a", "a (muted 2)"]


def test_nobody_waits_for_a_place_that_does_not_answer(box: Mailbox, place: Place) -> None:
    place.open.clear()
    box.put("a")
    assert wait_until(lambda: place.tries == 1)
    began = time.monotonic()
    for number in range(LIMIT + 50):
        box.put(str(number))
    assert time.monotonic() - began < 1.0
    assert box.lost == 50
    place.open.set()
    assert wait_until(lambda: len(place.texts) == 1 + LIMIT)
    assert place.texts[1] == "0 (before this, 50 were lost)"
    assert place.texts[2] == "1"
    assert box.lost == 0


def test_a_text_that_comes_again_needs_no_room(box: Mailbox, place: Place) -> None:
    place.open.clear()
    box.put("first")
    assert wait_until(lambda: place.tries == 1)
    for number in range(LIMIT):
        box.put(str(number))
    for _ in range(3):
        box.put("first")
        box.put("99")
    assert box.lost == 0
    box.put("new")
    box.put("new")
    assert box.lost == 2
    place.open.set()
    assert wait_until(lambda: len(place.texts) == 1 + LIMIT)
    box.stop()
    assert place.texts[1 + LIMIT :] == ["first (muted 3)", "99 (muted 3)"]


def test_a_stop_waits_two_seconds_at_most(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.STOP_SECONDS == 2.0
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    box = Mailbox("the place", place.post)
    place.open.clear()
    box.put("a")
    assert wait_until(lambda: place.tries == 1)
    began = time.monotonic()
    box.stop()
    assert 0.15 < time.monotonic() - began < 1.0


def test_a_failure_is_tried_again(box: Mailbox, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.errors = [LaterError("no"), LaterError("no"), LaterError("no", 0.01), LaterError("no")]
    box.put("a")
    assert wait_until(lambda: place.tries >= 4)
    place.errors = []
    assert arrived(place, "a")
    assert caplog.records == []


def test_it_waits_as_long_as_it_is_told(box: Mailbox, place: Place) -> None:
    place.errors = [LaterError("too many", 60)]
    box.put("a")
    assert wait_until(lambda: place.tries == 1)
    assert not wait_until(lambda: place.tries > 1, timeout=0.2)


def test_a_place_that_wants_no_pause_is_not_tried_without_end(box: Mailbox, place: Place) -> None:
    """The pauses grow all the same: some ten tries, where there would be thousands."""
    place.errors = [LaterError("too many", 0)]
    box.put("a")
    assert not wait_until(lambda: place.tries > 20, timeout=0.5)
    assert place.tries > 1


def test_after_a_while_it_gives_up_with_one_warning(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    box = Mailbox("the place", place.post, give_up_seconds=0.3, first_retry=0.01)
    place.errors = [LaterError("it is away")]
    for text in "abc":
        box.put(text)
    assert wait_until(lambda: box.lost == 3)
    assert place.tries > 2
    box.put("d")
    assert wait_until(lambda: box.lost == 4)
    assert [record.getMessage() for record in caplog.records] == ["the place does not get what it should: it is away"]
    place.errors = []
    box.put("e")
    assert arrived(place, "e (before this, 4 were lost)")
    box.stop()


def test_what_is_refused_is_not_tried_again(box: Mailbox, place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.errors = [RefusedError("it says invalid_auth")]
    box.put("a")
    assert wait_until(lambda: box.lost == 1)
    box.put("b")
    assert wait_until(lambda: box.lost == 2)
    assert place.tries == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    place.errors = []
    box.put("c")
    assert arrived(place, "c (before this, 2 were lost)")
    place.errors = [RefusedError("it says invalid_auth")]
    box.put("d")
    assert wait_until(lambda: len(caplog.records) == 2)


@pytest.mark.parametrize("error", [RefusedError("Slack says msg_too_long"), KeyError("x")])
def test_what_fails_for_good_takes_nothing_with_it(error: Exception, box: Mailbox, place: Place) -> None:
    place.error_of = {"bad": error}
    place.open.clear()
    for text in ("first", "bad", "a", "b", "c"):
        box.put(text)
    place.open.set()
    assert arrived(place, "first", "a (before this, 1 were lost)", "b", "c")
    assert box.lost == 0


def test_at_a_stop_each_text_has_its_one_try(place: Place) -> None:
    """Even where the first is told to wait longer than anything is tried."""
    box = Mailbox("the place", place.post)
    place.error_of = {"first": LaterError("too many", 2 * module.GIVE_UP_SECONDS)}
    place.open.clear()
    for text in ("first", "a", "b"):
        box.put(text)
    assert wait_until(lambda: place.tries == 1)
    timer = threading.Timer(0.1, place.open.set)
    timer.start()
    box.stop()
    timer.join()
    assert place.texts == ["a (before this, 1 were lost)", "b"]


def test_an_error_that_nobody_foresaw_does_not_end_it(box: Mailbox, place: Place) -> None:
    place.errors = [ZeroDivisionError()]
    box.put("a")
    assert wait_until(lambda: box.lost == 1)
    place.errors = []
    box.put("b")
    assert arrived(place, "b (before this, 1 were lost)")


def test_a_stop_ends_a_pause_and_says_what_is_lost(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    box = Mailbox("the place", place.post)
    place.errors = [LaterError("it is away", 60)]
    box.put("a")
    assert wait_until(lambda: place.tries == 1)
    began = time.monotonic()
    box.stop()
    assert time.monotonic() - began < 1.0
    assert [record.getMessage() for record in caplog.records] == ["the place does not get what it should: it is away"]


def test_whoever_does_not_want_to_wait_for_a_stop_need_not(place: Place) -> None:
    box = Mailbox("the place", place.post)
    place.open.clear()
    box.put("a")
    assert wait_until(lambda: place.tries == 1)
    began = time.monotonic()
    with interrupted_by_sigterm():
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
        timer.start()
        box.stop()
    timer.join()
    assert time.monotonic() - began < 1.0

"""An I/O loop that is woken only where it sleeps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dragonfly.core.amqp.loop import Loop
from tests.waiting import wait_until


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Give a loop that runs on a thread of its own."""
    running = Loop()
    thread = threading.Thread(target=running.start)
    thread.start()
    yield running
    running.add_callback_threadsafe(running.stop)
    thread.join(5)
    assert not thread.is_alive()
    running.close()


def test_what_another_thread_hands_over_is_done_although_it_sleeps(loop: Loop) -> None:
    for _ in range(100):
        done = threading.Event()
        assert wait_until(lambda: loop._may_sleep)
        loop.add_callback_threadsafe(done.set)
        assert done.wait(1.0)


def test_while_it_is_at_work_it_is_not_woken_and_forgets_nothing(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(5)

    loop.add_callback_threadsafe(work)
    assert begun.wait(5)
    woken: list[int] = []
    wake = loop._poller.wake_threadsafe
    monkeypatch.setattr(loop._poller, "wake_threadsafe", lambda: (woken.append(1), wake()))
    loop.add_callback_threadsafe(done.set)
    assert woken == []
    may_end.set()
    assert done.wait(1.0)


def test_of_what_many_threads_hand_over_all_is_done(loop: Loop) -> None:
    done: list[int] = []

    def hand_over() -> None:
        for number in range(2_000):
            loop.add_callback_threadsafe(lambda number=number: done.append(number))

    threads = [threading.Thread(target=hand_over) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert wait_until(lambda: len(done) == 8_000)


def test_what_was_handed_over_too_late_is_done_when_it_finishes() -> None:
    loop = Loop()
    done: list[str] = []
    loop.add_callback_threadsafe(loop.stop)
    loop.add_callback_threadsafe(lambda: loop.add_callback_threadsafe(lambda: done.append("late")))
    loop.start()
    assert done == []
    loop.finish()
    assert done == ["late"]
    loop.close()

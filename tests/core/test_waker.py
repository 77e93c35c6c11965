"""Waking who waits, even out of a signal handler that interrupts the one who waits."""

import subprocess
import sys
import threading

from dragonfly.core.waker import Waker

HAMMERED = """
import signal
from dragonfly.core.waker import Waker

waker, signals = Waker(), [0]

def handle(*_):
    signals[0] += 1
    waker.wake()

signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
while signals[0] < 1_500:
    waker.wait()
signal.setitimer(signal.ITIMER_REAL, 0)
print("awake")
"""


def test_a_wake_that_comes_first_is_not_lost() -> None:
    waker = Waker()
    waker.wake()
    waker.wait()


def test_another_thread_wakes_who_waits() -> None:
    waker, woken = Waker(), threading.Event()

    def wait() -> None:
        waker.wait()
        woken.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not woken.is_set()
    waker.wake()
    waiting.join(10)
    assert woken.is_set()


def test_signals_that_come_at_any_moment_do_not_stop_it() -> None:
    done = subprocess.run([sys.executable, "-c", HAMMERED], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "awake\n", "")

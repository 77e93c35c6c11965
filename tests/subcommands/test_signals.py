"""What SIGINT and SIGTERM do while a verb runs."""

import os
import signal

import pytest

from dragonfly.subcommands.signals import calling_on_signals, interrupted_by_sigterm


def test_sigterm_interrupts():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interrupted_by_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_every_signal_calls_the_action(number):
    before = signal.getsignal(number)
    calls = []
    with calling_on_signals(lambda: calls.append(number)):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert calls == [number, number]
    assert signal.getsignal(number) is before

"""What became of alerts, in numbers."""

import pytest

from dragonfly.core.amqp.alert_gate import AlertGate
from dragonfly.core.amqp.alert_tally import AlertTally
from dragonfly.core.amqp.backlog import Backlog
from dragonfly.core.amqp.packet import Outgoing


def alert() -> Outgoing:
    return Outgoing("alerts", "k", b"", keep=60.0, resend=True)


def test_it_counts_what_waits_and_what_was_dropped_wherever_it_was() -> None:
    backlog, gate = Backlog(1), AlertGate(1)
    tally = AlertTally(backlog, gate)
    gate.begin()
    gate.let_go()
    for _ in range(3):
        backlog.add(alert())
        gate.admit(alert())
    assert (tally.sent, tally.kept, tally.dropped) == (0, 2, 3)  # the first is on its way
    tally.lost += 1
    tally.refused += 1
    assert tally.dropped == 5


def test_each_loss_is_said_once_and_a_refusal_not_at_all(caplog: pytest.LogCaptureFixture) -> None:
    tally = AlertTally(Backlog(1), AlertGate(1))
    tally.refused += 1
    tally.tell_lost()
    assert caplog.messages == []
    tally.lost += 2
    tally.tell_lost()
    tally.tell_lost()
    assert [text.split(" were")[0] for text in caplog.messages] == ["2 alerts"]

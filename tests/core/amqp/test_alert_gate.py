"""Which alerts may go out soon after a reconnect."""

from itertools import count

import pytest

from dragonfly.core.amqp.alert_gate import HOLD_SECONDS, WINDOW_SECONDS, AlertGate
from dragonfly.core.amqp.packet import Outgoing

MADE = count()


class Clock:
    """A time that a test moves, in s."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> AlertGate:
    """A gate that lets 100 wait, has begun, and holds no longer what nobody may listen to yet."""
    return begun_gate(100, clock)


def begun_gate(limit: int, clock: Clock) -> AlertGate:
    begun = AlertGate(limit, clock)
    begun.begin()
    clock.now += HOLD_SECONDS
    return begun


def alert(key: str = "k") -> Outgoing:
    made = Outgoing("alerts", key, b"", resend=True)
    made.made = float(next(MADE))
    return made


def test_it_works_for_30_seconds_once_it_has_begun(clock: Clock) -> None:
    gate = AlertGate(100, clock)
    assert not gate.is_active
    gate.begin()
    assert gate.is_active and not gate.is_over
    clock.now += 29.9
    assert not gate.is_over
    clock.now += 0.2
    assert gate.is_over
    assert WINDOW_SECONDS == 30.0
    gate.end()
    assert not gate.is_active


def test_it_does_not_work_where_no_alert_may_wait(clock: Clock) -> None:
    gate = AlertGate(0, clock)
    gate.begin()
    assert not gate.is_active


def test_for_5_seconds_nothing_goes_and_then_one_of_each_key(clock: Clock) -> None:
    gate = AlertGate(100, clock)
    gate.begin()
    first, second, other = alert(), alert(), alert("other")
    assert [gate.admit(each) for each in (first, second, other)] == [False, False, False]
    clock.now += 4.9
    assert gate.due() == []
    clock.now += 0.2
    assert gate.due() == [first, other]
    assert gate.confirmed(first) == [second]


def test_where_half_of_what_may_wait_does_it_goes_on_earlier(clock: Clock) -> None:
    early: list[int] = []
    gate = AlertGate(10, clock, lambda: early.append(len(gate)))
    gate.begin()
    held = [alert() for _ in range(7)]
    assert not any(gate.admit(each) for each in held)
    assert early == [5]
    assert gate.due() == held[:1]
    assert gate.dropped == 0


def test_at_the_very_end_it_waits_for_nobody(clock: Clock) -> None:
    gate = AlertGate(100, clock)
    gate.begin()
    last = alert()
    assert not gate.admit(last)
    gate.let_go()
    assert gate.due() == [last]


def test_of_a_key_one_goes_and_the_others_wait_and_other_keys_are_not_delayed(gate: AlertGate) -> None:
    assert gate.admit(alert())
    assert not gate.admit(alert())
    assert not gate.admit(alert())
    assert gate.admit(alert("other"))
    assert len(gate) == 2


def test_the_first_confirm_lets_all_go_in_order_and_from_then_on_each_at_once(gate: AlertGate) -> None:
    scout, *rest = (alert() for _ in range(5))
    assert [gate.admit(each) for each in (scout, *rest)] == [True, False, False, False, False]
    assert gate.confirmed(scout) == rest
    assert len(gate) == 0
    later = alert()
    assert gate.admit(later)
    assert gate.confirmed(later) == []


def test_a_returned_one_goes_out_again_alone_and_before_the_others(gate: AlertGate) -> None:
    scout, second = alert(), alert()
    assert gate.admit(scout) and not gate.admit(second)
    for _ in range(3):
        gate.returned(scout)
        assert len(gate) == 2
        assert gate.due() == [scout]
        assert gate.due() == []  # until it is returned
    assert gate.confirmed(scout) == [second]


def test_who_comes_while_a_returned_one_waits_does_not_pass_it(gate: AlertGate) -> None:
    scout, later = alert(), alert()
    gate.admit(scout)
    gate.returned(scout)
    assert not gate.admit(later)
    assert gate.due() == [scout]
    assert gate.confirmed(scout) == [later]


def test_a_proven_key_whose_alerts_are_returned_is_not_proven_any_more(gate: AlertGate) -> None:
    first = alert()
    gate.admit(first)
    gate.confirmed(first)
    flying = [alert() for _ in range(3)]
    assert all(gate.admit(each) for each in flying)
    gate.returned(flying[0])
    later = alert()
    assert not gate.admit(later)
    gate.returned(flying[1])
    gate.returned(flying[2])
    assert gate.due() == [flying[0]]
    assert gate.confirmed(flying[0]) == [flying[1], flying[2], later]


def test_a_confirm_of_one_that_is_no_scout_proves_the_key_too(gate: AlertGate) -> None:
    first, second, third = alert(), alert(), alert()
    gate.admit(first)
    gate.confirmed(first)
    assert gate.admit(second) and gate.admit(third)
    gate.returned(second)
    assert gate.confirmed(third) == [second]


def test_at_the_end_all_go_in_the_order_in_which_they_were_made(gate: AlertGate) -> None:
    alerts = [alert(key) for key in "aabbab"]
    admitted = [gate.admit(each) for each in alerts]
    assert admitted == [True, False, True, False, False, False]
    gate.returned(alerts[0])
    assert gate.end() == [each for each in alerts if each is not alerts[2]]
    assert len(gate) == 0


def test_what_is_handed_back_is_forgotten_and_begins_afresh(gate: AlertGate) -> None:
    scout, second = alert(), alert()
    gate.admit(scout)
    gate.admit(second)
    assert gate.take_all() == [second]
    assert gate.is_active
    assert gate.due() == []
    assert gate.admit(scout) and not gate.admit(second)


def test_a_new_beginning_knows_no_proven_key(gate: AlertGate, clock: Clock) -> None:
    first = alert()
    gate.admit(first)
    gate.confirmed(first)
    gate.end()
    gate.begin()
    clock.now += HOLD_SECONDS
    assert gate.admit(alert()) and not gate.admit(alert())


def test_of_too_many_the_oldest_goes(clock: Clock) -> None:
    gate = begun_gate(3, clock)
    scout, other = alert(), alert("other")
    assert gate.admit(scout) and gate.admit(other)
    waiting = [alert(), alert("other"), alert(), alert()]
    assert not any(gate.admit(each) for each in waiting)
    assert (len(gate), gate.dropped) == (3, 1)
    assert gate.confirmed(other) == [waiting[1]]
    assert gate.confirmed(scout) == waiting[2:]


def test_a_returned_one_is_the_oldest_of_its_key_when_too_many_wait(clock: Clock) -> None:
    gate = begun_gate(1, clock)
    scout, later = alert(), alert()
    gate.admit(scout)
    gate.returned(scout)
    assert not gate.admit(later)
    assert (len(gate), gate.dropped) == (1, 1)
    assert gate.due() == [later]


def test_a_scout_that_is_refused_makes_room_for_the_next(gate: AlertGate) -> None:
    scout, second = alert(), alert()
    gate.admit(scout)
    gate.admit(second)
    gate.ended(scout)
    assert gate.due() == [second]
    gate.ended(second)
    assert gate.admit(alert())


def test_of_very_many_keys_each_has_its_turn(clock: Clock) -> None:
    gate = begun_gate(10_000, clock)
    scouts = [alert(f"k{number}") for number in range(2_500)]
    for scout in scouts:
        assert gate.admit(scout)
        gate.returned(scout)
    tried: list[Outgoing] = []
    for _ in range(3):
        due = gate.due()
        assert len(due) <= 1_000
        tried += due
        for scout in due:
            gate.returned(scout)
    assert set(tried) == set(scouts)

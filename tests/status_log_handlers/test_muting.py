"""One text once a minute, and the number of the others afterwards."""

from dragonfly.status_log_handlers.muting import PERIOD, Muting


def test_a_text_passes_once_in_a_period() -> None:
    muting = Muting()
    assert PERIOD == 60
    assert [now for now in range(0, 200, 10) if muting.passes("a", now)] == [0, 60, 120, 180]


def test_texts_do_not_mute_each_other() -> None:
    muting = Muting()
    assert muting.passes("a", 0)
    assert muting.passes("b", 1)
    assert not muting.passes("a", 2)
    assert muting.next_end() == 60


def test_after_the_period_the_number_is_told_and_a_new_one_begins() -> None:
    muting = Muting()
    for now in (0, 1, 2):
        muting.passes("a", now)
    assert muting.ended(59) == []
    assert muting.ended(60) == [("a", 2)]
    assert not muting.passes("a", 61)
    assert muting.ended(119) == []
    assert muting.ended(120) == [("a", 1)]
    assert muting.ended(180) == []
    assert muting.next_end() is None
    assert muting.passes("a", 181)


def test_a_number_that_was_not_told_in_time_is_not_lost() -> None:
    muting = Muting()
    muting.passes("a", 0)
    muting.passes("a", 1)
    assert muting.passes("a", 60)
    assert muting.ended(120) == [("a", 1)]


def test_at_the_end_all_numbers_are_told() -> None:
    muting = Muting()
    for text in ("a", "a", "b", "c", "c", "c"):
        muting.passes(text, 0)
    assert muting.end_all() == [("a", 1), ("c", 2)]
    assert muting.end_all() == []


def test_so_many_texts_are_remembered_and_no_more() -> None:
    muting = Muting()
    for number in range(1_000):
        assert not muting.is_full
        muting.passes(str(number), 0)
    assert muting.is_full
    muting.ended(60)
    assert not muting.is_full

"""One text once a minute, and the number of the others afterwards."""

from dragonfly.status_log_handlers.muting import PERIOD, Muting


def passes(muting: Muting, text: str, now: float) -> bool:
    """Let a text pass that is not muted, as a mailbox with room does."""
    if muting.mutes(text, now):
        return False
    muting.begin(text, now)
    return True


def test_a_text_passes_once_in_a_period() -> None:
    muting = Muting()
    assert PERIOD == 60
    assert [now for now in range(0, 200, 10) if passes(muting, "a", now)] == [0, 60, 120, 180]


def test_texts_do_not_mute_each_other() -> None:
    muting = Muting()
    assert passes(muting, "a", 0)
    assert passes(muting, "b", 1)
    assert not passes(muting, "a", 2)
    assert muting.next_end() == 60


def test_after_the_period_the_number_is_told_and_a_new_one_begins() -> None:
    muting = Muting()
    for now in (0, 1, 2):
        passes(muting, "a", now)
    assert muting.ended(59) == []
    assert muting.ended(60) == [("a", 2)]
    assert not passes(muting, "a", 61)
    assert muting.ended(119) == []
    assert muting.ended(120) == [("a", 1)]
    assert muting.ended(180) == []
    assert muting.next_end() is None
    assert passes(muting, "a", 181)


def test_a_number_that_was_not_told_in_time_is_not_lost() -> None:
    muting = Muting()
    passes(muting, "a", 0)
    passes(muting, "a", 1)
    assert passes(muting, "a", 60)
    assert muting.ended(120) == [("a", 1)]


def test_at_the_end_all_numbers_are_told() -> None:
    muting = Muting()
    for text in ("a", "a", "b", "c", "c", "c"):
        passes(muting, text, 0)
    assert muting.end_all() == [("a", 1), ("c", 2)]
    assert muting.end_all() == []


def test_a_text_that_did_not_pass_is_not_remembered() -> None:
    muting = Muting()
    assert not muting.mutes("a", 0)
    assert not muting.mutes("a", 1)
    assert muting.next_end() is None
    assert muting.end_all() == []


def test_so_many_texts_are_remembered_and_no_more() -> None:
    muting = Muting()
    for number in range(1_000):
        assert not muting.is_full
        passes(muting, str(number), 0)
    assert muting.is_full
    muting.ended(60)
    assert not muting.is_full

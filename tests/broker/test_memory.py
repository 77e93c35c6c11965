import pytest

from dragonfly.broker.memory import Memory

# (time, bytes in use, whether somebody has to give up), limit 800, patience 10 s.
COURSES = [
    [(0, 800, False), (100, 800, False)],
    [(0, 801, False), (9.9, 801, False), (10, 801, True)],
    [(0, 801, False), (5, 700, False), (6, 801, False), (15, 801, False), (16, 801, True)],
    [(0, 801, False), (5, 750, False), (10, 750, True)],
    [(0, 801, False), (10, 801, True), (11, 801, False), (20, 801, True)],
    [(0, 801, False), (10, 801, True), (11, 10, False), (21, 10, False)],
]


@pytest.mark.parametrize("course", COURSES)
def test_somebody_has_to_give_up_after_ten_seconds_without_room(course: list[tuple[float, int, bool]]) -> None:
    memory = Memory(limit=800, patience=10.0)
    for now, used, expected in course:
        memory.used = used
        assert memory.must_shed(now) is expected, now


@pytest.mark.parametrize(
    ("used", "is_full", "has_room"), [(0, False, True), (700, False, True), (701, False, False), (801, True, False)]
)
def test_it_does_not_change_its_mind_with_every_message(used: int, is_full: bool, has_room: bool) -> None:
    memory = Memory(limit=800)
    memory.used = used
    assert (memory.is_full, memory.has_room) == (is_full, has_room)

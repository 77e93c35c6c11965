"""When it is said that data are missing, and that they are back."""

from dragonfly.subcommands.expected_data import ExpectedData


def test_they_have_their_time_from_the_beginning_of_the_watch() -> None:
    data = ExpectedData("peaches", repeat=100, now=1000)
    assert data.age(1005) == 5
    data.came(1007)
    assert data.age(1010) == 3


def test_it_is_said_once_and_again_after_the_repeat() -> None:
    data = ExpectedData("peaches", repeat=100, now=0)
    assert [now for now in range(10, 300, 10) if data.must_be_told(now)] == [10, 110, 210]


def test_the_return_is_told_once_and_only_where_the_loss_was() -> None:
    data = ExpectedData("peaches", repeat=100, now=0)
    assert data.came(50) is None
    assert data.must_be_told(80)
    assert data.came(90) == 40
    assert data.came(91) is None
    assert data.must_be_told(92)

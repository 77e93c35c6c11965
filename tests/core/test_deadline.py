"""A request that comes too late is not started."""

from typing import Any

import pytest

from dragonfly.core.deadline import lateness

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
HOUR = 3600.0


def ms(seconds: float) -> int:
    return int(seconds * 1000)


@pytest.mark.parametrize(
    ("headers", "expiration", "waited", "late"),
    [
        # the caller's clock agrees with ours
        ({"deadline": ms(NOW + 10)}, "10000", 0.0, False),
        ({"deadline": ms(NOW)}, "10000", 9.9, False),
        ({"deadline": ms(NOW - 0.9)}, "10000", 9.9, False),
        ({"deadline": ms(NOW - 1)}, "10000", 9.9, False),
        ({"deadline": ms(NOW - 1.001)}, "10000", 0.0, True),
        ({"deadline": ms(NOW - 60)}, "10000", 0.0, True),
        # its clock is an hour behind: what it calls the future is long past here
        ({"deadline": ms(NOW - HOUR + 10)}, "10000", 0.0, True),
        # its clock is an hour ahead: only the time that the request waited here tells
        ({"deadline": ms(NOW + HOUR + 10)}, "10000", 0.0, False),
        ({"deadline": ms(NOW + HOUR + 10)}, "10000", 10.0, False),
        ({"deadline": ms(NOW + HOUR + 10)}, "10000", 10.1, True),
        # a caller that waits long is waited for
        ({"deadline": ms(NOW + 600)}, "600000", 500.0, False),
        ({"deadline": ms(NOW + 600)}, None, 500.0, False),
        ({}, "600000", 500.0, False),
        ({}, "600000", 600.1, True),
        ({}, "0", 0.001, True),
        ({}, "500", 0.6, True),
        # the original's clients say nothing and wait for ten seconds
        ({}, None, 0.0, False),
        ({}, None, 10.0, False),
        ({}, None, 10.1, True),
        ({"probe": True}, None, 10.1, True),
    ],
)
def test_late_is_what_nobody_waits_for(
    headers: dict[str, Any], expiration: str | None, waited: float, late: bool
) -> None:
    assert (lateness(headers, expiration, waited, NOW, tolerance=1.0) is not None) is late


@pytest.mark.parametrize(("tolerance", "late"), [(0.0, True), (1.0, True), (5.0, False), (2 * HOUR, False)])
def test_the_tolerance_is_the_most_that_the_clocks_may_differ(tolerance: float, late: bool) -> None:
    answer = lateness({"deadline": ms(NOW - 5)}, None, 0.0, NOW, tolerance)
    assert (answer is not None) is late


def test_a_deadline_may_be_a_long_number_as_pika_gives_it() -> None:
    class Long(int):
        pass

    assert lateness({"deadline": Long(ms(NOW - 60))}, "10000", 0.0, NOW, 1.0) is not None
    assert lateness({"deadline": Long(ms(NOW + 60))}, "10000", 0.0, NOW, 1.0) is None


def test_the_reason_gives_both_clocks() -> None:
    text = lateness({"deadline": ms(NOW - HOUR)}, "10000", 0.0, NOW, 1.0)
    assert text is not None
    assert "2027-01-15T07:00:00.000Z by the caller's clock" in text
    assert "2027-01-15T08:00:00.000Z by this machine's" in text
    assert text.endswith("it was not started")


def test_the_reason_gives_the_time_it_waited() -> None:
    text = lateness({}, "2500", 4.0, NOW, 1.0)
    assert text == "it waited 4.0 s here, its caller only 2.5 s: it was not started"


def test_one_that_waited_too_long_shows_both_clocks_too_where_the_caller_told_its_own() -> None:
    text = lateness({"deadline": ms(NOW + 5)}, "2500", 4.0, NOW, 1.0)
    assert text is not None
    assert text.startswith(
        "it waited 4.0 s here, its caller only 2.5 s (its deadline is 2027-01-15T08:00:05.000Z by the"
    )


@pytest.mark.parametrize("deadline", [True, False, None, "soon", str(ms(NOW - HOUR)), 1.5, [], {}, b"0"])
def test_a_deadline_that_is_no_whole_number_is_as_none(deadline: Any) -> None:
    assert lateness({"deadline": deadline}, None, 0.0, NOW, 1.0) is None
    assert lateness({"deadline": deadline}, None, 11.0, NOW, 1.0) is not None


@pytest.mark.parametrize("deadline", [0, 1, -1, -(2**31), -(2**63), -62_135_596_800_000 - 1, 1000 - 10**15])
def test_an_absurd_deadline_in_the_past_is_late_with_a_text(deadline: int) -> None:
    text = lateness({"deadline": deadline}, "10000", 0.0, NOW, 1.0)
    assert text is not None and "by the caller's clock" in text


@pytest.mark.parametrize("deadline", [2**31 * 1000, 10**15, 2**63 - 1])
def test_an_absurd_deadline_in_the_future_leaves_the_expiration(deadline: int) -> None:
    assert lateness({"deadline": deadline}, "10000", 0.0, NOW, 1.0) is None
    assert lateness({"deadline": deadline}, "10000", 10.5, NOW, 1.0) is not None


@pytest.mark.parametrize(
    "expiration", ["", " ", "abc", "-5", "1e3", "1.5", "\N{ARABIC-INDIC DIGIT THREE}", "\N{SUPERSCRIPT TWO}"]
)
def test_an_expiration_that_is_no_number_is_as_none(expiration: str) -> None:
    assert lateness({}, expiration, 9.0, NOW, 1.0) is None
    assert lateness({}, expiration, 11.0, NOW, 1.0) is not None


def test_an_expiration_of_any_length_is_read() -> None:
    assert lateness({}, "9" * 100_000, 1e9, NOW, 1.0) is None
    assert lateness({}, "0" * 100_000, 1.0, NOW, 1.0) is not None

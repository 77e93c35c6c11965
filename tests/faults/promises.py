"""What the words of the table mean, as assertions on what was seen."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from itertools import pairwise

from dragonfly.core.amqp.alert_gate import HOLD_SECONDS, RETRY_SECONDS
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineTimeoutError
from tests.faults.hurried import SECONDS
from tests.faults.scenario import SHORT, Record
from tests.faults.subjects import HEARTBEAT, INTERVAL, Flight
from tests.mesh.program import Ended

BACK_SECONDS = 5.0
# Who is seen to be back by alerts is seen so much later: a service sends none for 5 s after it lost its connection, and
# looks once a second.
HELD_SECONDS = HOLD_SECONDS + RETRY_SECONDS
SEEN_BY_ALERTS = ("monitor", "consumer", "spime")
RELEASED_SECONDS = 3 * HEARTBEAT + BACK_SECONDS
# What "at once" is on a busy machine, for a program that has to end, s.
AT_ONCE = 3.0
# How long a program waits for the good-bye of a broker that does not answer, s.
GOOD_BYE = 2.0
NAMES = {"serve": "my_store", "consumer": "archive", "spime": "lab"}
UNREACHABLE = r"unable to connect to broker|does not answer|refused user|was lost: "


def back(subject: str, record: Record, within: float = BACK_SECONDS) -> None:
    seconds = record.back[subject]
    assert seconds is not None, f"it was not back: {record.said}"
    assert seconds < within + (HELD_SECONDS if subject in SEEN_BY_ALERTS else 0.0)
    text = _said_by(subject, record)
    assert re.search(f"{NAMES[subject]} (comes back by itself|is declared again)", text)
    assert f"{NAMES[subject]} is back on the mesh" in text
    _lives(subject, record)


def released(subject: str, record: Record) -> None:
    back(subject, record, RELEASED_SECONDS)


def rebound(subject: str, record: Record) -> None:
    seconds = record.back[subject]
    assert seconds is not None, f"it was not back: {record.said}"
    assert seconds < SECONDS + BACK_SECONDS
    if subject != "monitor":
        assert f"{NAMES[subject]} does not reach itself: its bindings are made again" in _said_by(subject, record)
    _lives(subject, record)


def mute(subject: str, record: Record) -> None:
    seconds = record.back[subject]
    assert seconds is not None, f"it was not back: {record.said}"
    assert seconds < BACK_SECONDS
    assert "comes back by itself" not in _said_by(subject, record)
    _lives(subject, record)


def told(subject: str, record: Record) -> None:
    if subject == "get":
        _is_sentence(record.flying_get, 3, "was lost: ")
        assert record.flying_get_ended < record.came + AT_ONCE
    else:
        _is_error(record.flying_request, DriplineAMQPConnectionError, "was lost: ")
        assert record.flying_request is not None and record.flying_request.ended < record.came + AT_ONCE
    _works_again(subject, record)


def timeout(subject: str, record: Record) -> None:
    if subject == "get":
        _is_sentence(record.flying_get, 4, "no reply to get gate within ")
        assert record.flying_get_ended < record.began + record.flight_timeout + GOOD_BYE + AT_ONCE
    else:
        _is_error(record.flying_request, DriplineTimeoutError, "no reply to get door within ")
        assert record.flying_request is not None
        assert record.flying_request.ended < record.began + record.flight_timeout + AT_ONCE
    _works_again(subject, record)


def unreachable(subject: str, record: Record) -> None:
    if subject == "get":
        _is_sentence(record.asked_get, 3, UNREACHABLE)
        assert record.asked_get is not None and record.asked_get.seconds < SHORT + GOOD_BYE + AT_ONCE
    else:
        _is_error(record.asked_request, DriplineAMQPConnectionError, UNREACHABLE)
        assert record.asked_request is not None and record.asked_request.ended < record.asked_at + SHORT + AT_ONCE
    _works_again(subject, record)


def alarm(subject: str, record: Record) -> None:
    text = re.escape("the broker refuses messages (memory alarm)")
    if subject == "get":
        _is_sentence(record.asked_get, 3, text)
        _is_sentence(record.flying_get, 4, "no reply to get gate within ")
    else:
        _is_error(record.asked_request, DriplineAMQPConnectionError, text)
        assert record.asked_request is not None and record.asked_request.ended < record.asked_at + SHORT / 2
        _is_error(record.flying_request, DriplineAMQPConnectionError, text)
    _works_again(subject, record)


def gap(subject: str, record: Record) -> None:
    seconds = record.back[subject]
    assert seconds is not None and seconds < BACK_SECONDS + HELD_SECONDS
    text = _said_by(subject, record)
    assert text.count("it comes back by itself") == 1
    assert text.count("listening again; what was said meanwhile is missing") == 1
    _lives(subject, record)


def late(subject: str, record: Record) -> None:
    seconds = record.back[subject]
    assert seconds is not None and seconds < BACK_SECONDS + HELD_SECONDS
    assert "missing" not in _said_by(subject, record)
    assert record.shown == list(range(record.shown[0], len(record.watched)))
    _lives(subject, record)


def stored(_subject: str, record: Record) -> None:
    first_times = list(dict.fromkeys(row.number for row in record.rows))
    assert first_times == list(range(len(record.ticks)))
    assert None not in {row.message_id for row in record.rows}
    # A unique key stores each once: the same alert has the same identity, and no two have one.
    assert len({row.message_id for row in record.rows}) == len(record.ticks)


def unheard(subject: str, record: Record) -> None:
    numbers = record.shown if subject == "monitor" else [row.number for row in record.rows]
    made = len(record.watched if subject == "monitor" else record.ticks)
    missing = sorted(set(range(min(numbers), made)) - set(numbers))
    assert missing == list(range(missing[0], missing[-1] + 1)) if missing else True
    assert made - 1 in numbers


def reads(_subject: str, record: Record) -> None:
    assert max(after - before for before, after in pairwise(record.ticks)) < 20 * INTERVAL


def kept(subject: str, record: Record) -> None:
    reads(subject, record)
    stored(subject, record)
    for row in record.rows:
        said = calendar.timegm(time.strptime(row.timestamp, "%Y-%m-%dT%H:%M:%SZ"))
        assert -1.0 <= said - record.ticks[row.number] <= 0.5


def shut_out(subject: str, record: Record) -> None:
    ended = record.at_start[subject]
    if isinstance(ended, Ended):
        _is_sentence(ended, 3, "refused user worker")
    else:
        assert isinstance(ended, DriplineAMQPConnectionError)
        assert "refused user worker" in str(ended)


def waits(subject: str, record: Record) -> None:
    seconds = record.back[subject]
    # There may be up to 5 s between two tries of who was never on the mesh.
    assert seconds is not None and seconds < BACK_SECONDS + 1.0
    text = _said_by(subject, record)
    assert text.count("trying on until it is there") >= 1
    assert f"the broker is there: {NAMES[subject]} is on the mesh" in text
    _lives(subject, record)


def ends(subject: str, record: Record) -> None:
    ended = record.at_start[subject]
    assert isinstance(ended, Ended)
    told = "".join(line for line in ended.stderr.splitlines(keepends=True) if "[INFO" not in line)  # it has -v
    _is_sentence(ended._replace(stderr=told), 3, UNREACHABLE)


def taken(subject: str, record: Record) -> None:
    ended = record.at_start[subject]
    text = f"{NAMES[subject]} is already served by "
    if isinstance(ended, Ended):
        _is_sentence(ended, 6, text)
    else:
        assert text in str(ended)


PROMISES: dict[str, Callable[[str, Record], None]] = {
    "back": back,
    "released": released,
    "rebound": rebound,
    "mute": mute,
    "waits": waits,
    "shut out": shut_out,
    "taken": taken,
    "told": told,
    "timeout": timeout,
    "unreachable": unreachable,
    "alarm": alarm,
    "gap": gap,
    "late": late,
    "ends": ends,
    "stored": stored,
    "unheard": unheard,
    "kept": kept,
    "reads": reads,
}
# What nothing can happen to.
NOTHING = "none"


def _said_by(subject: str, record: Record) -> str:
    if subject in ("serve", "monitor"):
        ended = record.store if subject == "serve" else record.monitor
        assert ended is not None
        return ended.stderr
    return "\n".join(record.said)


def _lives(subject: str, record: Record) -> None:
    """Look whether a program ran until it was ended, and ended well; the others are asked by `back`."""
    if subject in ("serve", "monitor"):
        ended = record.store if subject == "serve" else record.monitor
        assert record.ran[subject]
        assert ended is not None and ended.status == 0


def _is_sentence(ended: Ended | None, status: int, pattern: str) -> None:
    assert ended is not None
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (status, "", 1), ended
    assert re.search(pattern, ended.stderr), ended.stderr


def _is_error(flight: Flight | None, kind: type[Exception], pattern: str) -> None:
    assert flight is not None
    assert isinstance(flight.error, kind), flight
    assert re.search(pattern, str(flight.error)), flight


def _works_again(subject: str, record: Record) -> None:
    if subject == "get":
        assert record.next_get is not None
        assert (record.next_get.status, record.next_get.stderr) == (0, "")
        assert record.next_get.stdout == f"peaches(ret:0): {{'value_raw': '{record.value}'}}\n"
    else:
        assert record.next_request is not None and record.next_request.retcode == 0
        assert record.back[subject] is not None

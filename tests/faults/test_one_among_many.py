"""A request that the broker forbids fails alone: the others that are on their way with it are done, each once."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragonfly.core.exceptions import DriplineAMQPError, DriplineError
from dragonfly.core.interface import Interface
from dragonfly.testing import RabbitMQNode
from tests.faults.orders import lab, runs
from tests.mesh.program import serve

pytestmark = pytest.mark.rabbitmq

Measured = Callable[[str, str, str], None]

TOPIC = "One forbidden request among many"
IN_FLIGHT, ROUNDS = 100, 20
PLACES = {"the first": 0, "in the middle": IN_FLIGHT // 2, "the last": IN_FLIGHT - 1}
FORBIDDEN = "pump"
REFUSED = "the broker refuses the request: ACCESS_REFUSED - access to topic"
REFUSAL = f"{REFUSED} '{FORBIDDEN}' in exchange 'requests' in vhost '/' refused for user 'reader'"
# RabbitMQ's text is cut at 255 bytes, whatever is there: of these names, the ends are missing.
LONG = ["p" * 200, "ü" * 120, "x" + "ü" * 120]


@pytest.fixture
def reader(node: RabbitMQNode, tmp_path: Path) -> Iterator[Interface]:
    """Give a client of a user who may set the valve alone; the service with the valve is there."""
    node.ctl("add_user", "reader", "secret")
    node.ctl(
        "set_permissions", "reader", "^request_reply.*", "^(requests|request_reply.*)", "^(requests|request_reply.*)"
    )
    node.ctl("set_topic_permissions", "reader", "requests", "^valve$", ".*")
    with serve(node.address, str(lab(tmp_path))) as service:
        with Interface(f"amqp://reader:secret@{node.address}/", timeout=10.0) as client:
            yield client
        assert service.end().status == 0
    node.ctl("delete_user", "reader")


def test_of_many_requests_of_one_call_the_forbidden_one_fails_alone(
    reader: Interface, tmp_path: Path, measured: Measured
) -> None:
    number = itertools.count()
    for place, index in PLACES.items():
        seconds = []
        for _ in range(ROUNDS):
            requests = [("set", "valve", next(number)) for _ in range(IN_FLIGHT)]
            began = time.monotonic()
            replies = list(reader.request_many([*requests[:index], ("set", FORBIDDEN, 0), *requests[index + 1 :]]))
            seconds.append(time.monotonic() - began)
            refused = replies.pop(index)
            assert (refused.retcode, refused.return_msg) == (100, REFUSAL)
            assert [reply.retcode for reply in replies] == [0] * (IN_FLIGHT - 1)
        measured(TOPIC, f"{IN_FLIGHT} of request_many, {place} forbidden, {ROUNDS} times", told(seconds))
    check_each_ran_once(tmp_path, all_but_the_forbidden())


def test_of_the_requests_of_many_threads_the_forbidden_one_fails_alone(
    reader: Interface, tmp_path: Path, measured: Measured
) -> None:
    def ask(target: str, number: int) -> str:
        try:
            reader.set(target, number)
        except DriplineError as err:
            assert type(err) is DriplineAMQPError
            return str(err)
        return ""

    number = itertools.count()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        for place, index in PLACES.items():
            seconds = []
            for _ in range(ROUNDS):
                targets = ["valve"] * index + [FORBIDDEN] + ["valve"] * (IN_FLIGHT - 1 - index)
                began = time.monotonic()
                said = list(pool.map(ask, targets, [next(number) for _ in targets]))
                seconds.append(time.monotonic() - began)
                assert said == [REFUSAL if target == FORBIDDEN else "" for target in targets]
            measured(TOPIC, f"{IN_FLIGHT} threads on one Interface, {place} forbidden, {ROUNDS} times", told(seconds))
    check_each_ran_once(tmp_path, all_but_the_forbidden())


def test_a_forbidden_name_of_which_the_broker_tells_only_the_beginning_fails_alone(
    reader: Interface, tmp_path: Path
) -> None:
    for long in LONG:
        requests = [("set", "valve", number) for number in range(IN_FLIGHT)]
        replies = list(reader.request_many([*requests[:50], ("set", long, 0), *requests[50:]]))
        refused = replies.pop(50)
        assert refused.retcode == 100
        assert refused.return_msg.startswith(f"{REFUSED} '{long[:100]}")
        assert [reply.retcode for reply in replies] == [0] * IN_FLIGHT
    assert len(runs(tmp_path)) == IN_FLIGHT * len(LONG)


def test_a_forbidden_request_of_each_second_thread_costs_the_others_nothing(
    reader: Interface, tmp_path: Path, measured: Measured
) -> None:
    requests = [("set", "valve" if number % 2 else FORBIDDEN, number) for number in range(IN_FLIGHT)]
    replies = list(reader.request_many(requests))
    assert [reply.retcode for reply in replies] == [100, 0] * (IN_FLIGHT // 2)
    check_each_ran_once(tmp_path, set(range(1, IN_FLIGHT, 2)))
    measured(TOPIC, f"{IN_FLIGHT} of request_many, each second one forbidden", "the others were all answered")


def check_each_ran_once(directory: Path, expected: set[int]) -> None:
    numbers = [number for number, _ in runs(directory)]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) == expected


def all_but_the_forbidden() -> set[int]:
    """Return the numbers of those sets that were allowed, over all places and rounds."""
    first = [
        place * ROUNDS * IN_FLIGHT + turn * IN_FLIGHT + index
        for place, index in enumerate(PLACES.values())
        for turn in range(ROUNDS)
    ]
    return set(range(len(PLACES) * ROUNDS * IN_FLIGHT)) - set(first)


def told(seconds: list[float]) -> str:
    return (
        f"{IN_FLIGHT - 1} of {IN_FLIGHT} answered each time, and run once; "
        f"median {statistics.median(seconds) * 1000:.0f} ms, at most {max(seconds) * 1000:.0f} ms for all"
    )

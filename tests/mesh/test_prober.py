"""Questions that leave no trace: roll call, many at a time, and what comes of those that nobody answers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError
from dragonfly.core.message import ReplyMessage
from dragonfly.core.requester import is_returned
from dragonfly.subcommands.prober import Prober
from dragonfly.testing import Mesh
from tests.mesh.raw import RawClient


def service(name: str, keys: int = 1) -> str:
    blocks = "".join(f"  - {{name: {name}_{n}, module: kv_store_key}}\n" for n in range(keys))
    return f"name: {name}\nendpoints:\n{blocks}"


def test_all_services_answer_a_roll_call(mesh: Mesh) -> None:
    mesh.serve(service("one"))
    mesh.serve(service("two"))
    with Prober(mesh.address, "test", 5.0) as prober:
        began = time.monotonic()
        assert sorted(reply.service_name for reply in prober.roll_call(0.5)) == ["one", "two"]
        assert 0.5 <= time.monotonic() - began < 3.0


def test_an_empty_mesh_is_known_at_once(mesh: Mesh) -> None:
    with Prober(mesh.address, "test", 30.0) as prober:
        assert prober.roll_call(0.5) == []


def test_where_a_monitor_swallows_the_question_it_ends_in_time(mesh: Mesh) -> None:
    with RawClient(mesh.address) as monitor, Prober(mesh.address, "test", 0.3) as prober:
        monitor.listen("monitor", "requests", "#")
        assert prober.roll_call(0.1) == []
        seen = monitor.next("monitor")
        assert seen is not None
        assert seen.properties.headers["probe"] is True


def test_answers_come_in_the_order_of_the_questions(mesh: Mesh) -> None:
    mesh.serve(service("many", 1_500))  # more than are on their way at a time
    targets = [f"many_{n}" for n in range(1_500)]
    with Prober(mesh.address, "test", 10.0) as prober:
        answers = prober.ask(["nobody", *targets, "many"], "ping")
        values = list(prober.values(targets[:3]))
    returned, *replies = answers
    assert isinstance(returned, ReplyMessage)
    assert is_returned(returned)
    assert len(replies) == 1_501
    assert all(isinstance(reply, ReplyMessage) and reply.service_name == "many" for reply in replies)
    assert [reply.retcode for reply in values] == [0, 0, 0]


def test_a_question_without_an_answer_is_none(mesh: Mesh, tmp_path: Path) -> None:
    with RawClient(mesh.address) as mute, Prober(mesh.address, "test", 10.0) as prober:
        mute.listen("mute", "requests", "mute.#")
        began = time.monotonic()
        assert prober.ask(["mute"], "ping", patience=0.2) == [None]
        assert time.monotonic() - began < 3.0


def test_a_broker_that_is_not_there_is_an_error_and_nothing_is_left_open(unused_address: str) -> None:
    with pytest.raises(DriplineAMQPConnectionError), Prober(unused_address, "test", 2.0):
        pytest.fail("nobody is there")


def test_what_is_no_address_is_an_error() -> None:
    with pytest.raises(DriplineError):
        Prober("http://host", "test", 1.0)

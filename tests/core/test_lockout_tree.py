"""A lock on a provider, all that is below it, and what tells of it."""

from collections.abc import Callable
from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_SET
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import (
    DriplineAccessDenied,
    DriplineError,
    DriplineWarning,
)
from dragonfly.core.lockout import Origin
from dragonfly.core.spime import Spime
from tests.core.locked_tree import ALICE, BOB, KEY, MALLORY, Device, Tree, lock, unlock


@pytest.fixture
def tree() -> Tree:
    return Tree()


def test_lock_status_says_who_and_since_when_and_not_the_key(tree: Tree) -> None:
    lock(tree.chips)
    status = tree.chips.handle(OP_CMD, "lock_status", [], {}, BOB)
    assert list(status) == ["locked", "since", "user", "host", "lease"]
    assert (status["locked"], status["user"], status["host"], status["lease"]) == (True, "alice", "lab1", None)
    assert len(status["since"]) == 20 and status["since"].endswith("Z")
    assert tree.plums.lock_status() == {"locked": False, "since": None, "user": None, "host": None, "lease": None}


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("rack", ["rack", "plums", "peaches"]),
        ("service", ["shop", "rack", "chips", "plums", "peaches"]),
        ("chips", ["chips"]),
    ],
)
def test_a_lock_is_on_all_below_too_with_one_key_and_so_is_its_end(tree: Tree, which: str, names: list[str]) -> None:
    key = lock(getattr(tree, which), BOB)
    assert tree.locked == names
    for endpoint in tree.service.subtree():
        if endpoint.name in names and isinstance(endpoint, Device):
            endpoint.handle(OP_SET, "", [1], {}, Origin(key=key))
    assert unlock(getattr(tree, which), Origin(key=key)) == "unlocked"
    assert tree.locked == []


@pytest.mark.parametrize("origin", [ALICE, BOB])
def test_where_one_below_is_locked_with_another_key_none_is_locked(tree: Tree, origin: Origin) -> None:
    lock(tree.peaches, MALLORY)
    for endpoint in (tree.rack, tree.service):
        with pytest.raises(DriplineAccessDenied, match="^Endpoint peaches is locked; .* by mallory on lab3 "):
            endpoint.handle(OP_CMD, "lock", [], {"lease": 5}, origin)
    assert tree.locked == ["peaches"]
    assert tree.peaches.lock_status()["user"] == "mallory"
    lock(tree.rack, MALLORY)
    assert tree.locked == ["rack", "plums", "peaches"]


def test_the_children_of_a_locked_provider_have_locks_of_their_own(tree: Tree) -> None:
    lock(tree.rack)
    assert unlock(tree.plums, ALICE) == "unlocked"
    assert tree.locked == ["rack", "peaches"]
    tree.plums.handle(OP_SET, "", [1], {}, BOB)
    # One lock below is reason enough to unlock at the top.
    unlock(tree.service, ALICE)
    assert tree.locked == []


@pytest.mark.parametrize(
    ("origin", "force", "remark", "left"),
    [
        (ALICE, False, "unlocked; locked with another key: peaches", ["peaches"]),
        (MALLORY, False, "unlocked; locked with another key: plums", ["plums"]),
        (ALICE, True, "unlocked", []),
        (BOB, True, "unlocked", []),
    ],
)
def test_a_tree_of_two_keys_is_released_as_far_as_the_key_opens_it(
    tree: Tree, origin: Origin, force: bool, remark: str, left: list[str]
) -> None:
    lock(tree.plums, ALICE)
    lock(tree.peaches, MALLORY)
    assert unlock(tree.rack, origin, force=force) == remark
    assert tree.locked == left


def test_a_key_that_opens_nothing_of_a_tree_is_307_and_names_what_is_locked(tree: Tree) -> None:
    lock(tree.peaches, MALLORY)
    with pytest.raises(DriplineAccessDenied, match="^Endpoint peaches is locked; another lockout_key is required"):
        tree.service.handle(OP_CMD, "unlock", [], {}, ALICE)
    assert tree.locked == ["peaches"]


def test_a_new_lock_after_a_lease_that_is_over_is_its_own(tree: Tree) -> None:
    """A look at the old lock must not take the new one away."""
    lock(tree.chips, lease=1)
    tree.service.clock.advance(2)
    key = lock(tree.chips, BOB)
    assert key != KEY and tree.chips.is_locked
    assert tree.chips.lock_status()["user"] == "bob"
    with pytest.raises(DriplineAccessDenied):
        tree.chips.handle(OP_SET, "", [1], {}, ALICE)


def test_an_endpoint_in_no_service_is_locked_by_the_machines_clock() -> None:
    device = Device(name="chips")
    lock(device, lease=1000)
    assert 990 < device.lock_status()["lease"] <= 1000


@pytest.mark.parametrize("origin", [ALICE, BOB])
@pytest.mark.parametrize("was_locked", [True, False])
def test_a_provider_is_no_way_round_the_lock_of_one_below(tree: Tree, origin: Origin, was_locked: bool) -> None:
    if was_locked:  # with the same key, until its lease was over
        lock(tree.rack, ALICE, lease=5)
    logger = Logger(name="pears", log_interval=30)
    tree.rack.add_endpoint(logger)
    lock(logger, ALICE)
    tree.service.clock.advance(5)
    with pytest.raises(DriplineAccessDenied, match="^rack: all that could be switched is locked$"):
        tree.rack.handle(OP_SET, "logging_status", ["on"], {}, origin)
    assert logger.logging_status is False
    other = Logger(name="figs", log_interval=30)
    tree.rack.add_endpoint(other)
    with pytest.raises(DriplineWarning, match="^not switched: pears$") as caught:
        tree.rack.handle(OP_SET, "logging_status", ["on"], {}, origin)
    assert caught.value.result == {"figs": "on", "pears": "not switched (it is locked)"}
    assert (logger.logging_status, other.logging_status) == (False, True)


@pytest.mark.parametrize(("origin", "done"), [(ALICE, True), (BOB, False)])
def test_who_has_the_key_of_the_tree_switches_all_of_it(tree: Tree, origin: Origin, done: bool) -> None:
    logger = Logger(name="pears", log_interval=30)
    tree.rack.add_endpoint(logger)
    lock(tree.rack, ALICE, lease=5)
    if done:
        assert tree.rack.handle(OP_SET, "logging_status", ["on"], {}, origin) == {"pears": "on"}
    else:
        with pytest.raises(DriplineAccessDenied):
            tree.rack.handle(OP_SET, "logging_status", ["on"], {}, origin)
    assert logger.logging_status is done


class Logger(Spime):
    """Something that logs."""

    def on_get(self) -> int:
        return 5


def actions(endpoint: Endpoint) -> list[Callable[[], Any]]:
    """Return all ways to read something from an endpoint."""
    names = dir(endpoint)
    return [
        *(lambda name=name: endpoint.handle(OP_GET, name, [], {}, BOB) for name in names),
        *(lambda name=name: endpoint.handle(OP_CONFIG, "", [name], {}, BOB) for name in names),
        *(lambda name=name: endpoint.handle(OP_CMD, name, [], {}, ALICE) for name in names if name != "lock"),
        *(lambda name=name: endpoint.handle(OP_SET, name, ["x"], {}, BOB) for name in names),
    ]


@pytest.mark.parametrize("which", ["chips", "rack", "service"])
def test_no_answer_but_that_to_lock_holds_the_key(tree: Tree, which: str) -> None:
    endpoint = getattr(tree, which)
    lock(endpoint)
    answers = []
    for action in actions(endpoint):
        try:
            answers.append(action())
        except DriplineError as err:
            answers.append((str(err), err.result))
    assert len(answers) > 200
    assert KEY not in repr(answers)

"""Who may act on a locked endpoint: every rule of the lock, on a clock that is moved by hand."""

from typing import Any

import pytest

from dragonfly.core.constants import OP_CMD, OP_CONFIG, OP_GET, OP_RUN, OP_SEND, OP_SET
from dragonfly.core.exceptions import (
    DriplineAccessDenied,
    DriplineInvalidKey,
    DriplineNoActionWarning,
    DriplinePayloadError,
    DriplineValueError,
)
from dragonfly.core.lockout import THE_SERVICE, Origin, normalised_key
from tests.core.locked_tree import ALICE, BOB, KEY, MALLORY, OTHER_KEY, Tree, lock, unlock


@pytest.fixture
def tree() -> Tree:
    return Tree()


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.upper(),
        "01234567-89ab-cdef-0123-456789abcdef",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
        "-".join(KEY),
    ],
)
def test_case_and_hyphens_do_not_count(written: str) -> None:
    assert normalised_key(written) == KEY


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abcd",
        KEY[:31],
        KEY + "0",
        KEY[:31] + "g",
        f"{KEY}\n",
        f" {KEY}",
        f"{{{KEY}}}",
        "\N{FULLWIDTH DIGIT ZERO}" * 32,
        "-" * 32,
        None,
        True,
        int(KEY, 16),
        0,
        [KEY],
        {"key": KEY},
        KEY.encode(),
        1.5,
    ],
)
def test_anything_else_is_308_and_is_not_repeated(written: Any) -> None:
    with pytest.raises(DriplineInvalidKey, match="32 hexadecimal digits") as caught:
        normalised_key(written)
    assert caught.value.retcode == 308
    assert KEY[:31] not in str(caught.value)


READING = [
    (OP_GET, "", [], 5),
    (OP_GET, "setpoint", [], 4.2),
    (OP_GET, "", ["setpoint"], 4.2),
    (OP_GET, "is_locked", [], True),
    (OP_CONFIG, "", ["setpoint"], 4.2),
    (OP_CONFIG, "", ["setpoint", None], 4.2),
    (OP_CMD, "ping", [], None),
    (OP_CMD, "", ["ping"], None),
    (OP_CMD, "set_condition", [3], None),
]
ACTING = [
    (OP_SET, "", [1]),
    (OP_SET, "setpoint", [1]),
    (OP_SET, "", ["setpoint", 1]),
    (OP_CONFIG, "", ["setpoint", 1]),
    (OP_CMD, "reset", []),
    (OP_CMD, "", ["reset"]),
    (OP_CMD, "no_such", []),
    (OP_RUN, "", []),
    (OP_SEND, "", ["*RST"]),
    (OP_CMD, "lock", []),
    (OP_CMD, "unlock", []),
    (OP_CMD, "", ["unlock"]),
]


@pytest.mark.parametrize(("operation", "specifier", "args", "result"), READING)
@pytest.mark.parametrize("origin", [BOB, MALLORY])
def test_reading_needs_no_key(
    tree: Tree, operation: int, specifier: str, args: list[Any], result: Any, origin: Origin
) -> None:
    lock(tree.chips)
    assert tree.chips.handle(operation, specifier, args, {}, origin) == result


@pytest.mark.parametrize("command", ["describe", "lock_status", "lock-status"])
def test_what_tells_of_the_lock_needs_no_key(tree: Tree, command: str) -> None:
    key = lock(tree.chips)
    told = tree.chips.handle(OP_CMD, "", [command], {}, BOB)
    assert told and key not in repr(told)


@pytest.mark.parametrize(("operation", "specifier", "args"), ACTING)
@pytest.mark.parametrize("origin", [BOB, MALLORY])
def test_acting_without_the_key_is_307_and_nothing_is_done(
    tree: Tree, operation: int, specifier: str, args: list[Any], origin: Origin
) -> None:
    key = lock(tree.chips)
    with pytest.raises(DriplineAccessDenied) as caught:
        tree.chips.handle(operation, specifier, args, {}, origin)
    text = str(caught.value)
    assert "chips" in text and key not in text and OTHER_KEY not in text
    assert (tree.chips._done, tree.chips.setpoint, tree.locked) == ([], 4.2, ["chips"])


@pytest.mark.parametrize(("operation", "specifier", "args"), [entry for entry in ACTING if "unlock" not in str(entry)])
def test_who_has_the_key_may_act(tree: Tree, operation: int, specifier: str, args: list[Any]) -> None:
    lock(tree.chips)
    if "no_such" in specifier:
        with pytest.raises(DriplineValueError, match="did you mean|it has"):
            tree.chips.handle(operation, specifier, args, {}, ALICE)
    else:
        tree.chips.handle(operation, specifier, args, {}, ALICE)
    assert tree.locked == ["chips"]


@pytest.mark.parametrize(
    ("origin", "needed"), [(BOB, "lockout_key required"), (MALLORY, "another lockout_key is required")]
)
def test_the_refusal_names_the_endpoint_and_who_locked_it_when(tree: Tree, origin: Origin, needed: str) -> None:
    lock(tree.chips)
    since = tree.chips.lock_status()["since"]
    with pytest.raises(DriplineAccessDenied) as caught:
        tree.chips.handle(OP_SET, "", [1], {}, origin)
    assert str(caught.value) == f"Endpoint chips is locked; {needed} (locked by alice on lab1 since {since})"
    assert caught.value.retcode == 307


def test_a_lock_without_who_is_somebodys(tree: Tree) -> None:
    lock(tree.chips, Origin())
    with pytest.raises(DriplineAccessDenied, match="locked by somebody on some host since "):
        tree.chips.handle(OP_SET, "", [1], {}, BOB)


def test_no_lock_keeps_the_service_itself_from_acting(tree: Tree) -> None:
    lock(tree.chips)
    tree.chips.handle(OP_CMD, "reset", [], {}, THE_SERVICE)
    assert tree.chips._done == ["reset"]


def test_a_lock_without_a_key_makes_a_new_one_each_time(tree: Tree) -> None:
    keys = [lock(endpoint, BOB) for endpoint in (tree.plums, tree.chips)]
    assert len(set(keys)) == 2
    assert [normalised_key(key) for key in keys] == keys


def test_a_lock_with_a_key_has_that_key(tree: Tree) -> None:
    assert lock(tree.chips, ALICE) == KEY


def test_a_lock_is_renewed_with_its_key_and_its_lease_begins_anew(tree: Tree) -> None:
    lock(tree.chips, lease=10)
    since = tree.chips.lock_status()["since"]
    tree.service.clock.advance(9)
    lock(tree.chips, Origin("carol", "lab4", KEY), lease=10)
    tree.service.clock.advance(9)
    assert tree.chips.lock_status() == {
        "locked": True,
        "since": since,
        "user": "carol",
        "host": "lab4",
        "lease": 1.0,
    }
    lock(tree.chips)
    tree.service.clock.advance(1e6)
    assert tree.locked == ["chips"]


@pytest.mark.parametrize(("lease", "left"), [(10, 6.0), (10.5, 6.5), ("10", 6.0), (1e9, 1e9 - 4)])
def test_a_lease_ends_by_itself(tree: Tree, lease: Any, left: float) -> None:
    lock(tree.chips, lease=lease)
    tree.service.clock.advance(4)
    assert tree.chips.lock_status()["lease"] == left
    tree.service.clock.advance(left - 0.5)
    assert tree.chips.is_locked
    tree.service.clock.advance(0.5)
    assert not tree.chips.is_locked
    assert tree.chips.lock_status() == {"locked": False, "since": None, "user": None, "host": None, "lease": None}
    tree.chips.handle(OP_SET, "", [1], {}, BOB)
    lock(tree.chips, MALLORY)


@pytest.mark.parametrize(
    "lease", [0, -1, 0.0001, "soon", "", True, float("nan"), float("inf"), "nan", [5], {"s": 5}, 10**400, KEY]
)
def test_a_lease_that_is_none_is_304_and_locks_nothing(tree: Tree, lease: Any) -> None:
    for args, kwargs in (([], {"lease": lease}), ([lease], {})):
        with pytest.raises(DriplineValueError, match="lease must be a number of seconds of at least") as caught:
            tree.rack.handle(OP_CMD, "lock", args, kwargs, ALICE)
        assert KEY not in str(caught.value)
    assert tree.locked == []


@pytest.mark.parametrize("force", [1, 0, "true", "yes", None, [True], KEY])
def test_a_force_that_is_neither_true_nor_false_is_304_and_releases_nothing(tree: Tree, force: Any) -> None:
    lock(tree.chips)
    for args, kwargs in (([], {"force": force}), ([force], {})):
        with pytest.raises(DriplineValueError, match="force must be true or false") as caught:
            tree.chips.handle(OP_CMD, "unlock", args, kwargs, BOB)
        assert KEY not in str(caught.value)
    assert tree.locked == ["chips"]


@pytest.mark.parametrize("command", ["lock", "unlock", "lock_status", "describe", "ping"])
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ([1, 2], {}),
        ([], {"colour": 1}),
        ([], {"key": KEY}),
        ([], {"lockout_key": KEY}),
        ([], {"origin": ["alice", "lab1", KEY]}),
        ([5, ["alice", "lab1", KEY]], {}),
    ],
)
def test_arguments_that_a_command_does_not_take_are_303(
    tree: Tree, command: str, args: list[Any], kwargs: dict[str, Any]
) -> None:
    lock(tree.plums)
    for endpoint in (tree.plums, tree.chips):
        with pytest.raises(DriplinePayloadError) as caught:
            endpoint.handle(OP_CMD, command, args, kwargs, BOB)
        assert KEY not in str(caught.value)
    assert tree.locked == ["plums"]


def test_what_the_arguments_are_is_told_without_who_asks(tree: Tree) -> None:
    with pytest.raises(DriplinePayloadError, match=r"^chips\.lock takes \(lease=None\); these values do not fit$"):
        tree.chips.handle(OP_CMD, "lock", [1, 2], {}, BOB)


@pytest.mark.parametrize(
    ("origin", "kwargs"),
    [
        (ALICE, {}),
        (ALICE, {"force": False}),
        (ALICE, {"force": True}),
        (BOB, {"force": True}),
        (MALLORY, {"force": True}),
    ],
)
def test_a_key_or_force_releases_the_lock(tree: Tree, origin: Origin, kwargs: dict[str, Any]) -> None:
    lock(tree.chips)
    assert unlock(tree.chips, origin, **kwargs) == "unlocked"
    assert tree.locked == []
    tree.chips.handle(OP_SET, "", [1], {}, BOB)


@pytest.mark.parametrize(
    ("origin", "kwargs", "text"),
    [
        (BOB, {}, "^chips: cannot unlock without valid lockout_key or force==True$"),
        (BOB, {"force": False}, "cannot unlock without valid lockout_key"),
        (MALLORY, {}, "^Endpoint chips is locked; another lockout_key is required "),
        (MALLORY, {"force": False}, "another lockout_key is required"),
    ],
)
def test_without_the_key_and_force_an_unlock_is_307(
    tree: Tree, origin: Origin, kwargs: dict[str, Any], text: str
) -> None:
    lock(tree.chips)
    with pytest.raises(DriplineAccessDenied, match=text):
        tree.chips.handle(OP_CMD, "unlock", [], kwargs, origin)
    assert tree.locked == ["chips"]


@pytest.mark.parametrize("origin", [ALICE, BOB])
@pytest.mark.parametrize("force", [True, False])
def test_to_unlock_what_is_not_locked_is_code_1(tree: Tree, origin: Origin, force: bool) -> None:
    with pytest.raises(DriplineNoActionWarning, match="^rack is not locked$") as caught:
        tree.rack.handle(OP_CMD, "unlock", [], {"force": force}, origin)
    assert caught.value.retcode == 1

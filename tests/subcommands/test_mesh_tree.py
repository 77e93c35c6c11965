"""The tree of a mesh: from what services say of themselves, whatever that is."""

from __future__ import annotations

from typing import Any

import pytest

from dragonfly.core.exceptions import DriplineAMQPConnectionError
from dragonfly.core.message import ReplyMessage
from dragonfly.subcommands.mesh_tree import UNKNOWN, Node, discovered, pruned

CHIPS = {
    "name": "chips",
    "class": "kv_store_key",
    "unit": "V",
    "get": True,
    "attributes": {"unit": {"settable": False}, "log_interval": {"settable": True}, "odd": 3},
    "commands": {"ping": {}},
    "endpoints": [],
}
STORE = {"name": "store", "class": "Service", "attributes": {}, "commands": {}, "endpoints": [CHIPS]}


class FakeProber:
    """Answers with what the test gives it."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def roll_call(self, quiet_time: float) -> list[ReplyMessage]:
        return [ReplyMessage(None, sender_info={"service_name": name, "hostname": "attic"}) for name in self._answers]

    def ask(self, targets: list[str], command: str) -> list[Any]:
        assert command == "describe"
        return [self._answers[target] for target in targets]


def tree(answers: dict[str, Any]) -> list[Node]:
    prober: Any = FakeProber(answers)
    return discovered(prober, 0.5)


def test_a_description_becomes_a_tree() -> None:
    (store,) = tree({"store": ReplyMessage(STORE)})
    assert [node.name for node in store.walk()] == ["store", "chips"]
    (chips,) = store.children
    assert (chips.text("class"), chips.text("unit"), chips.fields["get"]) == ("kv_store_key", "V", True)
    assert chips.attributes == {"unit": False, "log_interval": True, "odd": False}
    assert chips.commands == ["ping"]


def test_services_come_by_name_and_the_nameless_last() -> None:
    answers = {"b": ReplyMessage(STORE | {"name": "b"}), "": None, "a": ReplyMessage(STORE | {"name": "a"})}
    nodes = tree(answers)
    assert [node.name for node in nodes] == ["a", "b", UNKNOWN]
    assert nodes[-1].remark == "a service on attic that does not tell its name"


@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (None, "does not describe itself in time"),
        (ReplyMessage(None, retcode=306), "cannot describe itself (ret:306)"),
        (ReplyMessage(None, retcode=304), "cannot describe itself (ret:304)"),
        (DriplineAMQPConnectionError("lost"), "cannot be described: lost"),
        (ReplyMessage({"values": ["a store"]}), "describes itself in a form that is not understood"),
        (ReplyMessage({"name": "a b"}), "describes itself in a form that is not understood"),
        (ReplyMessage({"name": 3}), "describes itself in a form that is not understood"),
    ],
)
def test_a_service_that_does_not_describe_itself_is_listed(answer: Any, remark: str) -> None:
    (node,) = tree({"old": answer})
    assert (node.name, node.remark, node.children) == ("old", remark, [])


@pytest.mark.parametrize("odd", [3, None, "text", [3, None, {"name": "a b"}, "text"], {"a": 1}])
def test_what_has_another_form_is_left_out(odd: Any) -> None:
    (store,) = tree({"store": ReplyMessage(STORE | {"endpoints": odd, "attributes": odd, "commands": 3, "class": []})})
    assert store.children == []
    assert store.commands == []
    assert store.text("class") == ""


@pytest.mark.parametrize("name", ["\x1b[2J", "a b", "broadcast", "x" * 300])
def test_a_name_that_nobody_may_bear_is_not_shown(name: str) -> None:
    (node,) = tree({name: None})
    assert node.name == UNKNOWN


def test_pruning_keeps_parents_and_what_is_below() -> None:
    leaf = Node("a1"), Node("a2")
    roots = [Node("a", children=[Node("rack", children=list(leaf))]), Node("b")]
    kept = pruned(roots, lambda name: name == "a2")
    assert [node.name for root in kept for node in root.walk()] == ["a", "rack", "a2"]
    kept = pruned(roots, lambda name: name == "rack")
    assert [node.name for root in kept for node in root.walk()] == ["a", "rack", "a1", "a2"]
    assert pruned(roots, lambda name: False) == []

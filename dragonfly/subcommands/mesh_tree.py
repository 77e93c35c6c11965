"""What is alive on a mesh: services, and the endpoints below them as the services describe them.

What a service says of itself comes from another program, and is taken only so far as it has the right form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dragonfly.core.exceptions import DriplineError, DriplineValueError
from dragonfly.core.message import ReplyMessage
from dragonfly.core.routing import check_name
from dragonfly.subcommands.prober import Prober

# Stands for the name of a service that does not tell it.
UNKNOWN = "?"


@dataclass
class Node:
    """A service or an endpoint.

    Args:
        name: its name.
        fields: of its description: class, provider, service, description, unit, limits, get, set, lock, logging.
        attributes: name of each attribute, and whether it can be set.
        commands: names of its commands.
        children: the endpoints that it holds.
        remark: why nothing more is known of it.
        value: the answer to a get, where it was asked.
    """

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, bool] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    remark: str = ""
    value: ReplyMessage | None = None

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def text(self, name: str) -> str:
        """Return a field as a text; empty where it is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def discovered(prober: Prober, quiet_time: float) -> list[Node]:
    """Return the services that are alive, by name.

    Raises:
        DriplineError: the broker takes no messages, or was lost.
    """
    names: dict[str, Node] = {}
    nameless: list[Node] = []
    for reply in prober.roll_call(quiet_time):
        name = reply.service_name
        if name and _is_name(name):
            names[name] = Node(name)
        else:  # the first releases do not say who answers
            host = str(reply.sender_info.get("hostname", "some host"))
            nameless.append(Node(UNKNOWN, remark=f"a service on {host} that does not tell its name"))
    ordered = sorted(names)
    answers = prober.ask(ordered, "describe")
    services = [_service(name, answer) for name, answer in zip(ordered, answers, strict=True)]
    return services + nameless


def pruned(nodes: Iterable[Node], is_wanted: Callable[[str], bool]) -> list[Node]:
    """Return trees with those nodes whose names are wanted, all that is below one, and the parents of each."""
    kept = []
    for node in nodes:
        children = node.children if is_wanted(node.name) else pruned(node.children, is_wanted)
        if children or is_wanted(node.name):
            kept.append(Node(node.name, node.fields, node.attributes, node.commands, children, node.remark))
    return kept


def _service(name: str, answer: ReplyMessage | DriplineError | None) -> Node:
    if answer is None:
        return Node(name, remark="does not describe itself in time")
    if isinstance(answer, DriplineError):
        return Node(name, remark=f"cannot be described: {answer}")
    if answer.failed:
        return Node(name, remark=f"cannot describe itself (ret:{answer.retcode})")
    node = _node(answer.payload)
    return node if node is not None else Node(name, remark="describes itself in a form that is not understood")


def _node(described: Any) -> Node | None:
    """Return what a description says; None where it is none."""
    if not isinstance(described, dict) or not _is_name(described.get("name")):
        return None
    children = described.get("endpoints")
    below = [_node(child) for child in children] if isinstance(children, list) else []
    attributes, commands = described.get("attributes"), described.get("commands")
    return Node(
        described["name"],
        {key: value for key, value in described.items() if key not in ("name", "attributes", "commands", "endpoints")},
        {name: _is_settable(entry) for name, entry in attributes.items()} if isinstance(attributes, dict) else {},
        list(commands) if isinstance(commands, dict) else [],
        [child for child in below if child is not None],
    )


def _is_settable(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("settable") is True


def _is_name(name: Any) -> bool:
    try:
        check_name(name)
    except DriplineValueError:
        return False
    return True

"""Topic exchanges: which queues a routing key leads to.

Rules (AMQP 0-9-1, 3.1.3.3):
1. Keys are words with dots between them. The empty key has no word; `a..b` has an empty one in its middle.
2. In a binding key `*` stands for one word and `#` for any number of words, none included; both may stand anywhere and
   more than once. Every other word stands for itself.
3. A queue gets one copy of a message, however many of its bindings match.

The binding keys are kept as a tree with one level for each word. A routing key walks down all branches at once, so the
cost grows with its words and the branches that match, and not with the number of bindings.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Destination = TypeVar("Destination", bound=Hashable)

_ONE, _ANY = b"*", b"#"


class _Node(Generic[Destination]):
    """A place in the tree: what is bound with the words that lead here, and how it goes on.

    Args:
        is_any: whether the last of these words is `#`.
    """

    __slots__ = ("branches", "destinations", "is_any")

    def __init__(self, is_any: bool) -> None:
        self.is_any = is_any
        self.branches: dict[bytes, _Node[Destination]] = {}
        self.destinations: dict[Destination, None] = {}


class TopicExchange(Generic[Destination]):
    """An exchange of type topic.

    Args:
        name: its name.
        auto_delete: whether it goes with its last binding.
    """

    def __init__(self, name: bytes, auto_delete: bool = False) -> None:
        self.name = name
        self.auto_delete = auto_delete
        self.bindings = 0
        self._root: _Node[Destination] = _Node(False)

    def bind(self, destination: Destination, key: bytes) -> bool:
        """Bind a queue; return whether it was not bound with this key before."""
        node = self._root
        for word in words(key):
            branch = node.branches.get(word)
            if branch is None:
                branch = node.branches[word] = _Node(word == _ANY)
            node = branch
        if destination in node.destinations:
            return False
        node.destinations[destination] = None
        self.bindings += 1
        return True

    def unbind(self, destination: Destination, key: bytes) -> bool:
        """Undo a binding; return whether it was there."""
        way = [(self._root, b"")]
        for word in words(key):
            branch = way[-1][0].branches.get(word)
            if branch is None:
                return False
            way.append((branch, word))
        if destination not in way[-1][0].destinations:
            return False
        del way[-1][0].destinations[destination]
        self.bindings -= 1
        while len(way) > 1 and not way[-1][0].branches and not way[-1][0].destinations:
            _, word = way.pop()
            del way[-1][0].branches[word]
        return True

    def route(self, key: bytes) -> tuple[Destination, ...]:
        """Return the queues that a routing key leads to."""
        # The nodes reached so far, each once, as several patterns may lead to one; a dict, since order shall not vary.
        reached: dict[_Node[Destination], None] = {}
        _enter(self._root, reached)
        for word in words(key):
            following: dict[_Node[Destination], None] = {}
            for node in reached:
                if node.is_any:
                    _enter(node, following)
                for branch in (node.branches.get(word), node.branches.get(_ONE)):
                    if branch is not None:
                        _enter(branch, following)
            reached = following
        return tuple(dict.fromkeys(destination for node in reached for destination in node.destinations))


def words(key: bytes) -> list[bytes]:
    """Return the words of a key."""
    return key.split(b".") if key else []


def _enter(node: _Node[Destination], reached: dict[_Node[Destination], None]) -> None:
    """Reach a node, and with it those that a `#` for no word at all leads to."""
    while node not in reached:
        reached[node] = None
        node = node.branches.get(_ANY, node)

"""A tree of services and endpoints as people and programs read it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dragonfly.core.exceptions import DriplineTimeoutError
from dragonfly.core.masking import printable
from dragonfly.core.message import ReplyMessage
from dragonfly.subcommands.mesh_tree import Node
from dragonfly.subcommands.message_text import one_line, shown_payload

_INDENT = _GAP = "  "
_MORE = "..."
_DESCRIBED = ("class", "provider", "service", "description", "unit", "limits", "get", "set", "lock", "logging")


def lines(nodes: Iterable[Node], is_long: bool) -> Iterator[str]:
    """Yield the lines of a tree: name, class and unit; in a long one name, class, state, and value with unit.

    On a terminal the last column ends where the terminal does.
    """
    rows = [(_INDENT * depth + node.name, node) for root in nodes for node, depth in _with_depth(root, 0)]
    cells = [[name, *_cells(node, is_long)] for name, node in rows]
    # What is said of a service that cannot be described makes no column wider, nor is it cut.
    widths = [max((len(row[n]) for row in cells if len(row) > n + 1), default=0) for n in range(len(_LONG))]
    room = _terminal_columns()
    for row in cells:
        padded = [text.ljust(width) for text, width in zip(row[:-1], widths, strict=False) if width]
        yield _cut(_GAP.join([*padded, row[-1]]).rstrip(), room)


def records(nodes: Iterable[Node], is_wanted: Callable[[str], bool], is_long: bool) -> Iterator[str]:
    """Yield a JSON object on one line for each that is wanted or stands below one; a long one has the value, too."""
    for root in nodes:
        for node in _wanted(root, is_wanted, False):
            yield one_line(_record(node, is_long))


def _wanted(node: Node, is_wanted: Callable[[str], bool], is_below: bool) -> Iterator[Node]:
    chosen = is_below or is_wanted(node.name)
    if chosen:
        yield node
    for child in node.children:
        yield from _wanted(child, is_wanted, chosen)


def _record(node: Node, is_long: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"name": node.name, **{key: node.fields.get(key) for key in _DESCRIBED}}
    record.update(attributes=list(node.attributes), commands=node.commands)
    if node.remark:
        record["remark"] = node.remark
    if is_long:
        reply = node.value
        record["value"] = reply and {
            "retcode": reply.retcode,
            "return_msg": reply.return_msg,
            "payload": shown_payload(reply, node.name),
        }
    return record


def _with_depth(node: Node, depth: int) -> Iterator[tuple[Node, int]]:
    yield node, depth
    for child in node.children:
        yield from _with_depth(child, depth + 1)


def _cells(node: Node, is_long: bool) -> list[str]:
    texts = [f"({node.remark})"] if node.remark else [cell(node) for cell in (_LONG if is_long else _SHORT)]
    return [printable(text, len(text)) for text in texts]


def _class(node: Node) -> str:
    return node.text("class")


def _unit(node: Node) -> str:
    return node.text("unit")


def _state(node: Node) -> str:
    state = ["logs"] if node.fields.get("logging") is True else []
    lock = node.fields.get("lock")
    if isinstance(lock, dict) and lock.get("locked"):
        state.append(f"locked by {lock.get('user') or 'somebody'}")
    return ", ".join(state)


def _value(node: Node) -> str:
    """Return the value for people, with its unit, or why there is none."""
    reply = node.value
    if reply is None:
        return ""
    if reply.retcode == DriplineTimeoutError.retcode:
        return "(no reply)"
    if reply.failed:
        return f"(ret:{reply.retcode}) {reply.return_msg}"
    return f"{_number(reply, node.name)} {node.text('unit')}".rstrip()


def _number(reply: ReplyMessage, name: str) -> Any:
    """Return what is calibrated, else what is raw, else what there is."""
    payload = shown_payload(reply, name)
    if not isinstance(payload, dict):
        return payload
    for key in ("value_cal", "value_raw"):
        if payload.get(key) is not None:
            return payload[key]
    values = payload.get("values")
    return values[0] if isinstance(values, list) and len(values) == 1 else payload


_SHORT = (_class, _unit)
_LONG = (_class, _state, _value)


def _cut(line: str, room: int | None) -> str:
    return line if room is None or len(line) <= room else line[: room - len(_MORE)] + _MORE


def _terminal_columns() -> int | None:
    """Return the width of the terminal; None where the output is read by something else."""
    try:
        return max(40, shutil.get_terminal_size().columns) if os.isatty(sys.stdout.fileno()) else None
    except (OSError, ValueError):
        return None

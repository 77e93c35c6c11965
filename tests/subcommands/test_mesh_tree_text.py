"""A tree as text and as JSON: columns, values, and what is cut."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from dragonfly.core.message import ReplyMessage
from dragonfly.subcommands import mesh_tree_text
from dragonfly.subcommands.mesh_tree import Node
from dragonfly.subcommands.mesh_tree_text import lines, records


def endpoint(name: str, value: ReplyMessage | None = None, **fields: Any) -> Node:
    return Node(name, {"class": "kv_store_key", **fields}, value=value)


def long_line(value: ReplyMessage, **fields: Any) -> str:
    (line,) = lines([endpoint("a", value, **fields)], True)
    return line.partition("kv_store_key")[2].strip()


def test_a_column_is_as_wide_as_its_widest_cell_and_one_without_any_is_none() -> None:
    store = Node("my_store", {"class": "Service"}, children=[endpoint("a", unit="V"), endpoint("b")])
    assert list(lines([store], False)) == ["my_store  Service", "  a       kv_store_key  V", "  b       kv_store_key"]


def test_a_remark_makes_no_column_wider() -> None:
    nodes = [Node("a_service_of_old_with_a_long_name", remark="cannot describe itself (ret:306)"), endpoint("a")]
    first, second = lines(nodes, False)
    assert first == "a_service_of_old_with_a_long_name  (cannot describe itself (ret:306))"
    assert second.split() == ["a", "kv_store_key"]


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"value_raw": "0.75", "value_cal": 1.5}, "1.5 V"),
        ({"value_raw": "0.75"}, "0.75 V"),
        ({"value_raw": "0.75", "value_cal": None}, "0.75 V"),
        ({"values": [3]}, "3 V"),
        ({"values": [1, 2]}, "{'values': [1, 2]} V"),
        ({"temperature": 3}, "{'temperature': 3} V"),
        ({"value_cal": "on\x1b[2J"}, "on\\x1b[2J V"),
        ({"value_cal": "on\u200b\N{RIGHT-TO-LEFT OVERRIDE}"}, "on\\u200b\\u202e V"),
        ({"value_cal": "x" * 100}, "x" * 100 + " V"),
    ],
)
def test_the_value_is_the_calibrated_one_if_there_is_one(payload: Any, shown: str) -> None:
    assert long_line(ReplyMessage(payload), unit="V") == shown


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (ReplyMessage(None, retcode=305, return_msg="no reply to get a within 10 s"), "(no reply)"),
        (ReplyMessage(None, retcode=201, return_msg="the device\nis off"), "(ret:201) the device\\nis off"),
    ],
)
def test_a_value_that_is_not_there_says_why(reply: ReplyMessage, shown: str) -> None:
    assert long_line(reply, unit="V") == shown


def test_the_state_is_logging_and_lock() -> None:
    lock = {"locked": True, "user": "smith", "host": "h"}
    assert long_line(ReplyMessage({"values": [1]}), logging=True, lock=lock) == "logs, locked by smith  1"
    assert long_line(ReplyMessage({"values": [1]}), logging=False, lock={"locked": False}) == "1"
    assert long_line(ReplyMessage({"values": [1]}), logging="odd", lock={"locked": True}) == "locked by somebody  1"


def test_on_a_terminal_a_long_value_ends_where_the_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    node = endpoint("a", ReplyMessage({"values": ["x" * 100]}))
    assert len(next(lines([node], True))) > 100  # a program that reads it gets it whole
    monkeypatch.setattr(mesh_tree_text, "_terminal_columns", lambda: 80)
    line = next(lines([node], True))
    assert (len(line), line[-4:]) == (80, "x...")


@pytest.mark.parametrize(("columns", "expected"), [("120", 120), ("20", 40)])
def test_the_terminals_width_is_asked_for(columns: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.fileno", lambda: 1, raising=False)
    monkeypatch.setattr(os, "isatty", lambda number: True)
    monkeypatch.setenv("COLUMNS", columns)
    assert mesh_tree_text._terminal_columns() == expected


def test_a_record_has_the_description_without_what_is_long_and_the_lockout_key_never() -> None:
    node = endpoint("a", ReplyMessage({"lockout-key": "0" * 32}), unit="V")
    node.attributes, node.commands = {"unit": False}, ["ping"]
    (line,) = records([node], lambda name: True, True)
    record = json.loads(line)
    assert record["attributes"] == ["unit"]
    assert record["commands"] == ["ping"]
    assert record["value"]["payload"] == {"lockout-key": "***"}
    assert "0" * 32 not in line
    (line,) = records([node], lambda name: True, False)
    assert "value" not in json.loads(line)


def test_a_service_that_cannot_be_described_has_its_remark_in_its_record() -> None:
    (line,) = records([Node("old", remark="cannot describe itself (ret:306)")], lambda name: True, True)
    record = json.loads(line)
    assert (record["name"], record["remark"], record["class"]) == ("old", "cannot describe itself (ret:306)", None)
    assert record["value"] is None

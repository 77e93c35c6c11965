"""The calls of a config file: each knows its line, so that one that fails later can be found."""

from typing import Any

import yaml

from dragonfly.core.calls import PlacedDict, checked_call
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.loader.problem import Report
from dragonfly.loader.values import line_of

# The keys of a service that hold calls.
CALL_KEYS = ("setup_calls", "shutdown_calls", "on_broker_lost")


def calls_from(value: Any, node: yaml.Node, path: str, report: Report) -> Any:
    """Return a value in which each call of a list knows its line; what is none is reported and left out.

    Args:
        value: the value of the node.
        node: a list of calls, or a mapping that has such lists.
        path: place in the tree.
        report: takes the problems.
    """
    if isinstance(value, list) and isinstance(node, yaml.SequenceNode):
        entries = zip(value, node.value, strict=True)
        calls = (_call(entry, line_of(entry_node), path, report) for entry, entry_node in entries)
        return [call for call in calls if call is not None]
    if isinstance(value, dict) and isinstance(node, yaml.MappingNode):
        nodes = {key_node.value: value_node for key_node, value_node in node.value}
        return {
            key: calls_from(item, nodes[key], path, report) if key in nodes else item for key, item in value.items()
        }
    return value


def _call(entry: Any, line: int, path: str, report: Report) -> PlacedDict | None:
    try:
        checked_call(entry, "")
    except DriplineValueError as err:
        report.add(line, path, str(err))
        return None
    return PlacedDict(entry, report.file, line)

"""A config file that was read and checked, ready to be built."""

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dragonfly.core.broker_address import Broker, parsed_addresses
from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineValueError
from dragonfly.core.service import Service
from dragonfly.loader.build import build_children, build_service, check_calls, make_all, replace
from dragonfly.loader.document import collector_paused, read_document
from dragonfly.loader.problem import ConfigError, Problem, Report
from dragonfly.loader.registry import Registry
from dragonfly.loader.tree import Block, TreeReader, label_of
from dragonfly.loader.values import NULL, as_written, is_text, line_of

__all__ = ["Config", "ConfigError", "Problem", "load", "read_broker"]


class Place(NamedTuple):
    """Where a name stands in a config file.

    Args:
        line: counted from 1.
        path: place in the tree.
    """

    line: int
    path: str


class Config:
    """One checked config file.

    Args:
        file: the file as the caller named it.
        root: its first block, whose class is a Service.
    """

    def __init__(self, file: str, root: Block) -> None:
        self.file = file
        self._root = root

    @property
    def name(self) -> str:
        """The service's name."""
        return str(self._root.arguments["name"])

    @property
    def broker(self) -> Broker:
        """The broker that the file names, or the list of them."""
        broker: Broker = self._root.arguments.get("broker")
        return broker

    @property
    def places(self) -> dict[str, Place]:
        """Where each name stands: the service's own first."""
        found = {}
        waiting = deque([self._root])
        while waiting:
            block = waiting.popleft()
            found[str(block.arguments["name"])] = Place(block.lines.get("name", block.line), block.path)
            waiting += block.children
        return found

    def build_service(self, **overrides: Any) -> Service:
        """Make the service, without its endpoints.

        Args:
            overrides: arguments that win over the file's, such as broker; None is no argument.

        Raises:
            ConfigError: its constructor refuses a value.
        """
        report = Report(self.file)
        service = build_service(self._root, overrides, report)
        report.check()
        assert service is not None, "what could not be made was reported"
        return service

    def build_endpoints(self, service: Service, instead: Iterable[Endpoint] = ()) -> None:
        """Attach all endpoints to the service and to each other; a second service needs a second `load`.

        Args:
            instead: objects that take the places of those that the file's blocks of their names made.

        Raises:
            ConfigError: a provider refuses an endpoint, or a call has no target.
            ValueError: the file has no block for one of `instead`.
        """
        report = Report(self.file)
        for endpoint in instead:
            replace(self._root, endpoint)
        build_children(self._root, service, report)
        if not report.problems:
            check_calls(self._root, service, report)
        report.check()


def load(path: str | Path) -> Config:
    """Read a config file, check it, and make the objects that it describes.

    Raises:
        ConfigError: with all problems of the file.
    """
    root = read_document(path)
    report = Report(str(path))
    with collector_paused():
        block = TreeReader(report, Registry(Path(path).parent)).read(root)
    _broker(root, report)
    if block is not None:
        make_all(block, report)
    report.check()
    assert block is not None, "what could not be read was reported"
    return Config(str(path), block)


def read_broker(path: str | Path) -> Broker:
    """Read only the broker of a config file, for a client; its classes are neither looked up nor checked.

    Raises:
        ConfigError: the file cannot be read, or its broker is none.
    """
    root = read_document(path)
    report = Report(str(path))
    broker = _broker(root, report)
    report.check()
    return broker


def _broker(root: yaml.MappingNode, report: Report) -> Broker:
    nodes = [value for key, value in root.value if key.value == "broker"]
    if not nodes or nodes[0].tag == NULL:
        return None
    node, path = nodes[0], label_of(root)
    if isinstance(node, yaml.SequenceNode) and node.value:
        return [_address(each, path, report) for each in node.value]
    return _address(node, path, report)


def _address(node: yaml.Node, path: str, report: Report) -> str:
    if not is_text(node):
        text = f"broker must be a text: host, host:port or amqp://..., or a list of some, not {as_written(node)}"
        report.add(line_of(node), path, text)
        return ""
    try:
        parsed_addresses(node.value)
    except DriplineValueError as err:
        report.add(line_of(node), path, str(err))
    return str(node.value)

"""Blocks -> objects: parents first, then their children, each attached to its parent."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from dragonfly.core.endpoint import Endpoint
from dragonfly.core.exceptions import DriplineError, place_of
from dragonfly.core.provider import Provider
from dragonfly.core.service import Service
from dragonfly.loader.keys import RESERVED, keys_of
from dragonfly.loader.problem import Report
from dragonfly.loader.tree import Block

logger = logging.getLogger(__name__)

# What a constructor raises of a value that it cannot use.
CONSTRUCTOR_ERRORS = (
    *(DriplineError, ValueError, TypeError, LookupError, OSError, ImportError),
    # What only a mistake in somebody's own class raises.
    *(ArithmeticError, AssertionError, AttributeError, NameError, RuntimeError),
)


def make_all(block: Block, report: Report) -> None:
    """Make the objects of a block and of all below it, so that all problems of a file are told at once.

    What a constructor refuses is reported with its place. The object of the first block is made again by
    `build_service`, which has the caller's arguments; `build_children` puts the others into their places.
    """
    if isinstance(block.cls, type) and issubclass(block.cls, Service):
        # The broker was checked already, and would be reported twice.
        _make(block, {key: value for key, value in block.arguments.items() if key != "broker"}, report)
    else:
        block.endpoint = _make(block, block.arguments, report)
    for child in block.children:
        make_all(child, report)


def build_service(block: Block, overrides: Mapping[str, Any], report: Report) -> Service | None:
    """Make the object of the first block; None, with the problem reported, where it cannot be made.

    Args:
        overrides: arguments that win over the file's; None is no argument.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    service = _make(block, {**block.arguments, **given}, report)
    return service if isinstance(service, Service) else None


def build_children(block: Block, parent: Provider, report: Report) -> None:
    """Put the objects below a block into their places, parents first."""
    for child in block.children:
        logger.info("creating a <%s> with args: %s", child.module, child.arguments)
        assert child.endpoint is not None, "what could not be made was reported"
        _attach(child, child.endpoint, parent, report)
        if isinstance(child.endpoint, Provider):
            build_children(child, child.endpoint, report)


def replace(root: Block, endpoint: Endpoint) -> None:
    """Let an object take the place of the one that the block of its name made.

    Raises:
        ValueError: there is no such block, or blocks stand below it and the object is no Provider.
    """
    waiting = list(root.children)
    while waiting:
        block = waiting.pop()
        if block.arguments["name"] == endpoint.name:
            if block.children and not isinstance(endpoint, Provider):
                raise ValueError(f"{block.path}: {type(endpoint).__name__} is no Provider, and blocks stand below it")
            block.endpoint = endpoint
            return
        waiting += block.children
    raise ValueError(f"no block below the first has the name {endpoint.name}")


def check_calls(block: Block, service: Service, report: Report) -> None:
    """Note the calls of the file whose target is not there, or has no such command."""
    for call, text in service.call_problems():
        report.add(call.line, block.path, text)


def _make(block: Block, arguments: Mapping[str, Any], report: Report) -> Endpoint | None:
    if block.cls is None or not block.is_named:
        return None
    cls: Any = block.cls
    keys = keys_of(cls)
    if any(key not in arguments for key in keys.required):
        return None  # reported already, as an unknown key was
    known = {key: value for key, value in arguments.items() if key in keys.accepted or key == "name"}
    try:
        made: Endpoint = cls(**known)
        return made
    except CONSTRUCTOR_ERRORS as err:
        _report_error(block, err, report)
        return None


def _attach(block: Block, endpoint: Endpoint, parent: Provider, report: Report) -> None:
    try:
        parent.add_endpoint(endpoint)
    except CONSTRUCTOR_ERRORS as err:
        _report_error(block, err, report)


def _report_error(block: Block, error: Exception, report: Report) -> None:
    logger.debug("%s could not be made", block.path, exc_info=error)
    text = str(error)
    if not isinstance(error, (DriplineError, ValueError)) or not text:
        text = f"{type(error).__name__}: {text}{place_of(error)}"
    report.add(_line_at_fault(block, text), block.path, text)


def _line_at_fault(block: Block, text: str) -> int:
    """Return the line of the one key that the text mentions, otherwise of the block."""
    mentioned = [
        line for key, line in block.lines.items() if key not in RESERVED and re.search(rf"\b{re.escape(key)}\b", text)
    ]
    return mentioned[0] if len(mentioned) == 1 else block.line

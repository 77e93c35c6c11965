"""The reference pages and the directives that fill them, for the tests of both."""

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"

sys.path.append(str(ROOT / "docs" / "_ext"))
command_help = importlib.import_module("command_help")
config_keys = importlib.import_module("config_keys")
docstrings = importlib.import_module("docstrings")
fixtures = importlib.import_module("fixtures")
from_the_program = importlib.import_module("from_the_program")
wire_messages = importlib.import_module("wire_messages")
wire_topology = importlib.import_module("wire_topology")


def page(name: str) -> str:
    """Return the text of a page."""
    return (REFERENCE / f"{name}.rst").read_text(encoding="utf-8")


def arguments_of(directive: str, text: str) -> list[str]:
    """Return what stands behind each use of a directive."""
    return re.findall(rf"^\.\. {directive}:: (.+)$", text, re.MULTILINE)

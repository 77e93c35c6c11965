"""The directive `pytest-fixtures`: what dragonfly.testing gives to tests by name, read from the plugin's source.

It is read, not imported: whoever builds the pages need not have pytest.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from from_the_program import FromTheProgram
from sphinx.application import Sphinx

import dragonfly

PLUGIN = Path(dragonfly.__file__).parent / "testing" / "plugin.py"


def fixtures() -> dict[str, str]:
    """Return the documentation of each fixture by its name, and its scope in front where it is not the test's."""
    tree = ast.parse(PLUGIN.read_text(encoding="utf-8"))
    found = {}
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for decorator in map(ast.unparse, function.decorator_list):
            if decorator.startswith("pytest.fixture"):
                scope = "Once for all tests of a session. " if "session" in decorator else ""
                found[function.name] = scope + " ".join((ast.get_docstring(function) or "").split())
    return found


class PytestFixtures(FromTheProgram):
    """Print the fixtures."""

    def text(self) -> Iterable[str]:
        """Yield a definition list."""
        return _definitions(fixtures())


def _definitions(documented: dict[str, str]) -> Iterator[str]:
    for name, text in documented.items():
        yield from [f"``{name}``", f"    {text}", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directive."""
    app.add_directive("pytest-fixtures", PytestFixtures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

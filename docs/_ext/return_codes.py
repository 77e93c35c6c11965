"""The directive `return-codes`: the table of the codes that a reply may carry, read from the program itself."""

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from dragonfly.core.exceptions import exception_map

HEAD = [".. list-table::", "   :header-rows: 1", "   :widths: 10 40 50", ""]


def row(*cells: str) -> list[str]:
    """Return the lines of one row of a list-table."""
    return [f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(cells)]


class ReturnCodes(SphinxDirective):
    """Print code, exception and meaning of each return code, lowest first."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        lines = HEAD + row("code", "exception in Python", "when")
        for code, error in sorted(exception_map.items()):
            lines += row(str(code), f"``{error.__name__}``", error.when_raised)
        place = nodes.container()
        self.state.nested_parse(StringList(lines, source="exception_map"), 0, place)
        return place.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directive."""
    app.add_directive("return-codes", ReturnCodes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What the directives of this folder share: they make reStructuredText of what the program says, in place."""

from collections.abc import Iterable, Iterator

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

_INDENT = " " * 3


class FromTheProgram(SphinxDirective):
    """A directive that stands for reStructuredText; a class of one's own overrides `text`."""

    def text(self) -> Iterable[str]:
        """Yield the lines."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return what the lines mean."""
        # The program may have changed although the page has not.
        self.env.note_reread()
        place = nodes.container()
        place.document = self.state.document
        nested_parse_with_titles(self.state, StringList(list(self.text()), source=self.name), place)
        return list(place.children)


def table(widths: list[int], head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table.

    Args:
        widths: of the columns, in per cent.
        head: the first row.
        rows: the others; each cell is one line of reStructuredText.
    """
    yield from ["", ".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (head, *rows):
        for number, cell in enumerate(row):
            yield f"   {'*' if number == 0 else ' '} - {cell}".rstrip()
    yield ""


def heading(title: str, line: str, anchor: str = "") -> Iterator[str]:
    """Yield a heading, and before it the name by which `:ref:` finds it."""
    if anchor:
        yield from ["", f".. _{anchor}:"]
    yield from ["", title, line * len(title), ""]


def block(language: str, text: str) -> Iterator[str]:
    """Yield a block of code."""
    yield from ["", f".. code-block:: {language}", ""]
    for line in text.splitlines():
        yield f"{_INDENT}{line}".rstrip()
    yield ""

"""The directive `return-codes`: the table of the codes that a reply may carry, read from the program itself."""

from collections.abc import Iterable

from from_the_program import FromTheProgram, table
from sphinx.application import Sphinx

from dragonfly.core.exceptions import exception_map


class ReturnCodes(FromTheProgram):
    """Print code, exception and meaning of each return code, lowest first."""

    def text(self) -> Iterable[str]:
        """Return the table."""
        rows = [
            (str(code), f"``{error.__name__}``", error.when_raised) for code, error in sorted(exception_map.items())
        ]
        return table([10, 40, 50], ["code", "exception in Python", "when"], rows)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directive."""
    app.add_directive("return-codes", ReturnCodes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""How the documentation is built: `python -m sphinx -W -b html docs docs/_build`; nothing is fetched for it."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
# The pages describe the files that lie beside them, whatever is installed.
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

project = "dragonfly"
release = version = importlib.import_module("dragonfly").__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "return_codes"]
exclude_patterns = ["_build", "requirements.txt"]

autodoc_inherit_docstrings = False
napoleon_custom_sections = [("Further Keyword Args", "keyword args")]

html_theme = "furo"
html_title = f"dragonfly {release}"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Show classes without the arguments of `__init__`: their keys are listed one by one below."""
    app.connect("autodoc-process-signature", lambda *_: ("", ""))
    # Before napoleon reads the lines, at 500.
    app.connect("autodoc-process-docstring", own_words, priority=400)


def own_words(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Show of a class what it says itself: help() merges the keys of its bases in, which the page shows one by one."""
    if what == "class":
        own = importlib.import_module("dragonfly.core.documentation").own_documentation(thing)
        lines[:] = [*inspect.cleandoc(own or "").splitlines(), ""]

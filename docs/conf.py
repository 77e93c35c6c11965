"""How the documentation is built: `python -m sphinx -W -b html docs docs/_build`; nothing is fetched for it."""

import importlib
import logging
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
# The pages describe the files that lie beside them, whatever is installed.
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

# What the program says while it makes the examples of a page is of no interest here.
logging.getLogger("dragonfly").setLevel(logging.WARNING)

project = "dragonfly"
release = version = importlib.import_module("dragonfly").__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_help",
    "config_keys",
    "docstrings",
    "fixtures",
    "return_codes",
    "wire_messages",
    "wire_topology",
]
exclude_patterns = ["_build", "requirements.txt"]

# In the docstrings of this project, what stands between two single marks is code.
default_role = "code"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
napoleon_custom_sections = [("Further Keyword Args", "keyword args")]
# A line that begins with one of these is copied without it; what a program prints is not copied then.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
# A command that ends with a backslash goes on in the next line. Blank lines belong to what is printed.
copybutton_line_continuation_character = "\\"
copybutton_copy_empty_lines = False
# A block of language `text`, or of class `printed`, is what a program prints: there is nothing to copy.
copybutton_selector = "div:not(.highlight-text, .printed) > div.highlight pre"

html_theme = "furo"
html_title = f"dragonfly {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

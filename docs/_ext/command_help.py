"""The directives `command-help` and `verbs-help`: the help of the programs, as each prints it in 80 columns."""

import io
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress

from docutils.parsers.rst import directives
from from_the_program import FromTheProgram, block, heading
from sphinx.application import Sphinx

from dragonfly import cli, old_programs
from dragonfly.broker import command
from dragonfly.subcommands import MORE_VERBS, PROGRAM, VERBS

COLUMNS = 80
# What stands before `-h`, and who answers.
PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    PROGRAM: cli.main,
    "open_spimescape_portal": old_programs.portal,
    "dripline_agent": old_programs.agent,
    "python -m dragonfly.broker": command.main,
}
GROUPS = {"tutorial": VERBS, "more": MORE_VERBS}


def help_of(program: str, *words: str) -> str:
    """Return what a program prints when it is asked for its help.

    Args:
        program: one of PROGRAMS.
        words: what stands between the program and `-h`, such as a verb.
    """
    printed = io.StringIO()
    # With a handler there, no program configures the log of this process.
    logging.getLogger().addHandler(logging.NullHandler())
    with _columns(COLUMNS), redirect_stdout(printed), suppress(SystemExit):
        PROGRAMS[program]([*words, "-h"])
    return printed.getvalue()


def anchor(program: str, *words: str) -> str:
    """Return the name by which `:ref:` finds the help: `command-` and the words, joined by hyphens."""
    return re.sub(r"\W+", "-", " ".join(["command", program, *words]))


def sections(verbs: Iterable[str], line: str) -> Iterator[str]:
    """Yield a section for each verb."""
    for verb in verbs:
        yield from heading(f"{PROGRAM} {verb}", line, anchor(PROGRAM, verb))
        yield from block("text", help_of(PROGRAM, verb))


@contextmanager
def _columns(number: int) -> Iterator[None]:
    """Have argparse believe that the terminal is so wide."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(number)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


class CommandHelp(FromTheProgram):
    """Print the help of a program."""

    required_arguments = 1
    final_argument_whitespace = True

    def text(self) -> Iterable[str]:
        """Return a block with the help, and its anchor."""
        program = self.arguments[0]
        return ["", f".. _{anchor(program)}:", "", *block("text", help_of(program))]


class VerbsHelp(FromTheProgram):
    """Print the help of all verbs of a group, each in a section of its own."""

    required_arguments = 1

    def text(self) -> Iterable[str]:
        """Return the sections."""
        return sections(GROUPS[directives.choice(self.arguments[0], tuple(GROUPS))], "^")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directives."""
    app.add_directive("command-help", CommandHelp)
    app.add_directive("verbs-help", VerbsHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What a YAML parser complains of -> one sentence for a person who writes a config file.

PyYAML has two parsers, whose words differ; the table knows both. It is read from the top, the first match
counts.
"""

from typing import NamedTuple

import yaml
from yaml.reader import Reader


class _Case(NamedTuple):
    """A part of the parser's words, our sentence, and whether to show the line where the trouble began."""

    words: str
    sentence: str
    show_beginning: bool = False


_INDENTATION = "the indentation of this line does not fit the lines above it"
_REST_OF_VALUE = "the value ends before the line does: put the whole value in quotes"
_SECOND_COLON = "a second ': ' stands in this line: put the text that contains it in quotes"
_TAB = "a tab stands here: YAML wants blanks"

_TOO_DEEP = "the blocks are nested too deeply"

_CASES = (
    _Case("nested deeper", _TOO_DEEP),
    _Case("maximum nesting depth", _TOO_DEEP),
    _Case("could not find expected ':'", "expected a key, a colon, a blank and a value in this line", True),
    _Case("quoted scalar found unexpected end", "a quote is opened here and closed nowhere", True),
    _Case("flow sequence", "a list is opened here with [ and not closed with ]", True),
    _Case("flow mapping", "a block is opened here with { and not closed with }; a text goes in quotes", True),
    _Case(
        "undefined alias",
        "a value that begins with * needs an anchor (&) of the same name above it; a text goes in quotes",
    ),
    _Case("duplicate anchor", "the anchor (&) of this line was set above already"),
    _Case("scanning an anchor", "& must be followed by the name of an anchor; a text goes in quotes"),
    _Case("scanning an alias", "* must be followed by the name of an anchor; a text goes in quotes"),
    _Case("unknown escape", r"in double quotes a backslash begins an escape: use single quotes, or write \\"),
    _Case("another document", "a second document begins here: one file describes one service"),
    _Case("tag", "a value that begins with ! is a YAML tag: put a text in quotes"),
    _Case(
        "scanning a block scalar",
        "after | or > the text begins in the next line; a text that begins so goes in quotes",
    ),
    _Case("directive", "a line cannot begin with %: put a text in quotes"),
    _Case("node content", "the value is missing or begins with a special character: put a text in quotes"),
    _Case("expected <document start>", "this line does not belong to the block above it"),
)


def explain(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line, counted from 1, and the sentence for an error of either parser."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unprintable(text)
    mark = error.problem_mark or error.context_mark
    words = f"{error.context or ''} {error.problem or ''}"
    if mark is None:
        return 1, f"this is no valid YAML: {words.strip()}"
    line = _line(text, mark.line)
    before = line[: mark.column]
    if "\t" in line[: len(line) - len(line.lstrip())] or line[mark.column : mark.column + 1] == "\t":
        return mark.line + 1, _TAB
    if "cannot start any token" in words:
        return mark.line + 1, f"a value cannot begin with {line[mark.column]}: put it in quotes"
    if "mapping values are not allowed" in words:
        return mark.line + 1, _SECOND_COLON if ": " in before else _INDENTATION
    for case in _CASES:
        if case.words in words:
            begin = error.context_mark if case.show_beginning else None
            return (begin or mark).line + 1, case.sentence
    if "expected" in words:
        return mark.line + 1, _REST_OF_VALUE if before.strip() else _INDENTATION
    return mark.line + 1, f"this is no valid YAML: {error.problem}"


def _line(text: str, number: int) -> str:
    """Return one line, counted from 0; a parser may point behind the last one."""
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""


def _unprintable(text: str) -> tuple[int, str]:
    match = Reader.NON_PRINTABLE.search(text)
    if match is None:
        return 1, "the file holds something that YAML cannot read"
    line = text.count("\n", 0, match.start()) + 1
    return line, f"a character that does not print ({match.group()!r}) stands here: remove it"

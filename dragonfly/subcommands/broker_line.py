"""The broker of a config file for those who cannot wait until YAML is loaded: completion.

Rules:
1. Its key stands at the beginning of a line, alone in the file, and its value is a text or a list of texts, all within
   the brackets or with a dash each.
2. What is written in another way is not guessed at: UnclearError says so.
"""

from __future__ import annotations

import re
from itertools import takewhile

from dragonfly.core.broker_address import Broker

_KEY_ANYWHERE = re.compile(r"""^[^#\n]*\bbroker["']? *:""", re.MULTILINE)
_KEY = re.compile(r"^broker *:(?=\s|\Z)", re.MULTILINE)
# What may stand behind a value, up to the end of its line.
_END = r"[ \t]*(?:[ \t]#.*)?$"
_QUOTED = r"""(?:"[^"\\\n]*"|'[^'\n]*')"""
# Within brackets a comma ends a text, elsewhere it is part of it.
_ITEM = rf"""(?:{_QUOTED}|[\w/.][^\s,"'\[\]{{}}#]*)"""
_LINE = rf"""({_QUOTED}|[\w/.][^\s"'#]*){_END}"""
_TEXT = re.compile(rf"[ \t]+{_LINE}", re.MULTILINE)
_DASH = re.compile(rf"[ \t]*-[ \t]+{_LINE}")
_BRACKETS = re.compile(rf"\s+\[\s*({_ITEM}(?:\s*,\s*{_ITEM})*)\s*,?\s*\]{_END}", re.MULTILINE)
_NOTHING = re.compile(rf"[ \t]*(?:~|null)?{_END}", re.MULTILINE)
_BLANK = re.compile(r"[ \t]*(?:#.*)?$")
_GOES_ON = re.compile(r"[ \t]|-(?:[ \t]|$)")
_NO_TEXT = re.compile(r"[-+]?\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|null|true|false|yes|no|on|off", re.IGNORECASE)


class UnclearError(ValueError):
    """It takes more than this to understand the file."""


def broker_in_text(text: str) -> Broker:
    """Return the broker that the text of a config file names; None where it names none.

    Raises:
        UnclearError: only YAML's own reader can say.
    """
    keys = _KEY_ANYWHERE.findall(text)
    found = _KEY.search(text)
    if not keys:
        return None
    if found is None or len(keys) > 1:
        raise UnclearError("the key broker is not where it is looked for, or in several places")
    rest = text[found.end() :]
    if match := _NOTHING.match(rest):
        return _with_dashes(_below(rest, match)) or None
    if match := _TEXT.match(rest):
        broker: Broker = _plain(match[1])
    elif match := _BRACKETS.match(rest):
        broker = [_plain(item) for item in re.findall(_ITEM, match[1])]
    else:
        raise UnclearError("the value of broker is written in another way")
    if _below(rest, match):
        raise UnclearError("the value of broker goes on in the next line")
    return broker


def _below(rest: str, match: re.Match[str]) -> list[str]:
    """Return the lines below a value that belong to it."""
    lines = [line for line in rest[match.end() :].splitlines()[1:] if not _BLANK.match(line)]
    return list(takewhile(_GOES_ON.match, lines))


def _with_dashes(lines: list[str]) -> list[str]:
    matches = [_DASH.match(line) for line in lines]
    items = [_plain(match[1]) for match in matches if match is not None]
    if len(items) < len(lines):
        raise UnclearError("below broker is something else than texts with dashes")
    return items


def _plain(item: str) -> str:
    if item[0] in "\"'":
        return item[1:-1]
    if _NO_TEXT.fullmatch(item):
        raise UnclearError("the value of broker is no text")
    return item

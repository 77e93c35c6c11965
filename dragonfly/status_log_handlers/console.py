"""The terminal: every record on stderr; stdout is for what a command was asked for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from dragonfly.core.constants import LEVEL_NOTICE

_LINE = "%(asctime)s[%(levelname)-8s] %(name)s(%(lineno)d) -> %(message)s"
TIME = "%Y-%m-%dT%H:%M:%S"
# What a person should read although nothing is wrong is shown without -v.
_ALL = 1  # a logger whose level is 0 would ask its parent
_OFF = logging.CRITICAL + 1
_VERBOSITY_FOR_PIKA = 3

# Texts come from other programs: their control characters must not reach the terminal.
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@contextmanager
def console(verbosity: int) -> Iterator[None]:
    """Show the records of this package while the context lasts.

    Args:
        verbosity: how often -v was given; each lowers the threshold by ten, from 25.
    """
    stderr = _StderrHandler(sys.stderr)
    formatter = _ColouredFormatter if has_colours(sys.stderr) else _Formatter
    stderr.setFormatter(formatter(_LINE, TIME))
    pika = (stderr, _ALL) if verbosity >= _VERBOSITY_FOR_PIKA else (logging.NullHandler(), _OFF)
    with (
        _attached("dragonfly", [stderr], max(_ALL, LEVEL_NOTICE - 10 * verbosity)),
        _attached("pika", [pika[0]], pika[1]),
    ):
        yield


def has_colours(stream: TextIO) -> bool:
    """Tell whether who reads a stream may be shown colours: on a terminal that has them, and not against the wish."""
    # Where a program of others runs ours, a stream may be no more than something with `write`.
    is_terminal = getattr(stream, "isatty", bool)()
    return bool(is_terminal) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def visible(text: str) -> str:
    """Return a text of anybody's as it may be written to a terminal."""
    return text.translate(_VISIBLE)


@contextmanager
def _attached(name: str, handlers: list[logging.Handler], level: int) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level, logger.propagate
    logger.setLevel(level)
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


class _ColouredFormatter(_Formatter):
    """Show the level in colorlog's colour for it, where colorlog is installed."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        level = f"[{record.levelname:<8}]"
        before, found, after = text.partition(level)
        begin, end = _colour(record.levelname)
        return f"{before}{begin}{found}{end}{after}"


def _colour(level: str) -> tuple[str, str]:
    """Return how a level's colour begins and ends; nothing where there is none."""
    try:
        # Not before a record is shown: the most frequent requests show none.
        from colorlog import default_log_colors
        from colorlog.escape_codes import escape_codes, parse_colors
    except ImportError:
        return "", ""
    name = default_log_colors.get(level)
    return ("", "") if name is None else (parse_colors(name), escape_codes["reset"])


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Write what a person should know; where nobody can read it, that is no reason to stop."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        from dragonfly.core.exceptions import reply_fields  # not before: this is as good as never needed

        error = sys.exc_info()[1]
        if error is None or isinstance(error, OSError):
            return
        sentence = f"what {record.name}({record.lineno}) logged cannot be shown: {reply_fields(error)[1]}"
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self.stream.write(visible(sentence) + self.terminator)

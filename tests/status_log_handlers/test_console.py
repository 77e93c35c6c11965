"""The terminal: which records appear, where, and how they look."""

import io
import logging
import re
import sys

import pytest

from dragonfly.core.constants import LEVEL_NOTICE
from dragonfly.status_log_handlers.console import console

logger = logging.getLogger("dragonfly.test")


def test_a_line_is_time_level_name_and_text(capsys):
    with console(0):
        logger.warning("it is %s", "late")
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\[WARNING \] dragonfly\.test\(\d+\) -> it is late\n", err)


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        (0, [LEVEL_NOTICE, 30]),
        (1, [20, LEVEL_NOTICE, 30]),
        (2, [10, 20, LEVEL_NOTICE, 30]),
        (3, [1, 10, 20, LEVEL_NOTICE, 30]),
        (9, [1, 10, 20, LEVEL_NOTICE, 30]),
    ],
)
def test_each_v_lowers_the_threshold_by_ten_from_25(verbosity, shown, capsys):
    with console(verbosity):
        for level in (1, 10, 20, LEVEL_NOTICE, 30):
            logger.log(level, "level %d", level)
    err = capsys.readouterr().err
    assert [int(line.split()[-1]) for line in err.splitlines()] == shown


def test_a_notice_is_level_25(capsys):
    with console(0):
        logger.log(LEVEL_NOTICE, "x")
    assert "[Level 25] " in capsys.readouterr().err


def test_control_characters_do_not_reach_the_terminal(capsys):
    with console(0):
        logger.warning("\x1b[2J\r\x9b\x00\x7f µ\tx\ny")
    assert capsys.readouterr().err.endswith("-> \\x1b[2J\\x0d\\x9b\\x00\\x7f µ\tx\ny\n")


@pytest.mark.parametrize(("verbosity", "lines"), [(0, 0), (2, 0), (3, 2)])
def test_pika_is_silent_below_vvv(verbosity, lines, capsys):
    with console(verbosity):
        logging.getLogger("pika.connection").error("x")
        logging.getLogger("pika.connection").debug("y")
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_afterwards_the_loggers_are_as_before():
    ours = logging.getLogger("dragonfly")
    before = ours.level, ours.propagate, list(ours.handlers)
    with console(3):
        assert len(ours.handlers) == len(before[2]) + 1
    assert (ours.level, ours.propagate, ours.handlers) == before


class FakeTerminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Give a terminal that has colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return FakeTerminal()


def shown_on(terminal, level=logging.WARNING, text="x"):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with console(2):
            logger.log(level, text)
    return terminal.getvalue().partition("[")[2]


@pytest.mark.parametrize(
    ("level", "begin"), [(10, "37m"), (20, "32m"), (30, "33m"), (40, "31m"), (50, "1;31m"), (LEVEL_NOTICE, "Level")]
)
def test_a_level_has_its_colour_on_a_terminal(level, begin, terminal):
    pytest.importorskip("colorlog", reason="colorlog is not installed")
    assert shown_on(terminal, level).startswith(begin)


def test_the_line_is_the_same_but_for_the_colour(terminal):
    pytest.importorskip("colorlog", reason="colorlog is not installed")
    line = shown_on(terminal, text="\x1b[2J")
    assert re.fullmatch(r"33m\[WARNING \]\x1b\[0m dragonfly\.test\(\d+\) -> \\x1b\[2J\n", line)


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_whoever_wants_no_colour_gets_none(variable, value, terminal, monkeypatch):
    monkeypatch.setenv(variable, value)
    assert shown_on(terminal).startswith("WARNING ]")


def test_without_colorlog_there_is_no_colour(terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "colorlog", None)
    assert shown_on(terminal).startswith("WARNING ]")


def test_a_record_that_cannot_be_put_into_words_is_one_sentence(capsys):
    with console(0):
        logger.error("%d is no number", "x")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("what dragonfly.test(")
    assert ") logged cannot be shown: TypeError: %d format" in line


def test_a_stream_that_was_closed_disturbs_nobody(monkeypatch, capsys):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with console(0):
        stream.close()
        logger.error("x")
    assert capsys.readouterr() == ("", "")


class Closed:
    """A stream whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        pass


def test_a_closed_stderr_disturbs_nobody(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Closed())
    with console(0):
        logger.error("x")

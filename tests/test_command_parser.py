"""The parser: the tutorial's help on every Python, and options that may stand anywhere."""

import argparse
import re

import pytest

from dragonfly.command_parser import CommandParser, HelpFormatter


@pytest.fixture
def parser():
    parser = CommandParser("dragonfly try")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("-b", "--broker", nargs="?", const="localhost")
    parser.add_argument("-c", "--config")
    parser.add_argument("-po", "--payload-only", action="store_true")
    parser.add_argument("--timeout", type=float)
    parser.add_argument("-k", "--keys", nargs="*")
    parser.add_argument("target")
    parser.add_argument("values", nargs="*", default=[])
    parser.more_options.add_argument("--json", action="store_true")
    return parser


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("peaches", {"target": "peaches", "values": [], "broker": None, "verbose": 0}),
        ("peaches -b", {"broker": "localhost", "target": "peaches"}),
        ("peaches -b -v", {"broker": "localhost", "verbose": 1}),
        ("peaches -b host 1.5", {"broker": "host", "values": ["1.5"]}),
        ("-b host peaches 1.5", {"broker": "host", "target": "peaches", "values": ["1.5"]}),
        ("-b -- peaches 1.5", {"broker": "localhost", "target": "peaches", "values": ["1.5"]}),
        ("peaches 1 --timeout 3 2 --json 4", {"values": ["1", "2", "4"], "timeout": 3.0, "json": True}),
        ("peaches -vvb host", {"verbose": 2, "broker": "host"}),
        ("-vvb host peaches", {"verbose": 2, "broker": "host", "target": "peaches"}),
        ("-bhost peaches", {"broker": "host", "target": "peaches"}),
        ("--broker=host peaches", {"broker": "host", "target": "peaches"}),
        ("-po peaches", {"payload_only": True, "target": "peaches"}),
        ("peaches -k a b -v", {"keys": ["a", "b"], "verbose": 1}),
        ("peaches -1e-3", {"values": ["-1e-3"]}),
        ("peaches -5 -.5 -inf -0x10 -", {"values": ["-5", "-.5", "-inf", "-0x10", "-"]}),
        ("peaches -v -- -v --json", {"values": ["-v", "--json"], "verbose": 1, "json": False}),
        ("peaches -- --", {"target": "peaches", "values": ["--"]}),
        ("peaches -- a -- b", {"target": "peaches", "values": ["a", "--", "b"]}),
        ("-v -- -- -- --", {"target": "--", "values": ["--", "--"], "verbose": 1}),
        ("peaches --", {"target": "peaches", "values": []}),
        ("peaches --config=-- -b--", {"config": "--", "broker": "--", "values": []}),
    ],
)
def test_options_may_stand_anywhere(parser, line, expected):
    args = vars(parser.parse(line.split()))
    assert {name: args[name] for name in expected} == expected


@pytest.mark.parametrize("word", ["7", "--"])
def test_a_word_after_the_options_is_checked_as_any_other(word, capsys):
    parser = CommandParser("dragonfly try")
    parser.add_argument("number", type=int, choices=[1, 2])
    assert parser.parse(["--", "2"]).number == 2
    with pytest.raises(SystemExit):
        parser.parse(["--", word])
    assert "argument number: invalid " in capsys.readouterr().err


def test_an_empty_word_is_a_value(parser):
    assert parser.parse(["peaches", ""]).values == [""]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "the following arguments are required: target"),
        ("-b peaches", "-b took 'peaches', the word after it: write the target first and -b last"),
        ("peaches --timout 3", "there is no option --timout; did you mean --timeout?"),
        ("peaches --timout=3", "there is no option --timout; did you mean --timeout?"),
        ("peaches --time 3", "there is no option --time; did you mean --timeout?"),
        ("peaches -x", "there is no option -x; a value that begins with '-' goes after '--'"),
        ("peaches -vx", "there is no option -vx"),
        ("peaches -c", "argument -c/--config: expected one argument"),
        ("peaches -c -v", "argument -c/--config: expected one argument"),
        ("peaches --json=3", "ignored explicit argument '3'"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(parser, line, sentence, capsys):
    with pytest.raises(SystemExit) as leave:
        parser.parse(line.split())
    assert leave.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: dragonfly try ")
    assert sentence in err.splitlines()[-1]


def test_words_are_refused_where_there_are_options_only(capsys):
    parser = CommandParser("dragonfly try")
    with pytest.raises(SystemExit):
        parser.parse(["peaches"])
    assert "there is no argument 'peaches'" in capsys.readouterr().err


def test_more_options_are_listed_last_and_not_in_the_usage(parser):
    usage, _, rest = parser.format_help().partition("\n\n")
    assert "--json" not in usage + parser.format_usage()
    assert re.search(r"more options:\n +--json\n$", rest)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_fits_the_terminal_and_80_columns(columns, parser, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    widths = [len(line) for line in parser.format_help().splitlines()]
    assert max(widths) <= min(columns, 80) - 2


def test_help_has_no_colour(parser, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in parser.format_help()


def test_python_3_14_is_told_to_leave_colours_out(monkeypatch):
    told = []
    monkeypatch.setattr(argparse.HelpFormatter, "_set_color", lambda self, color: told.append(color), raising=False)
    HelpFormatter("dragonfly")._set_color(True)
    assert told[-1] is False


def test_a_short_usage_stands_on_one_line():
    parser = CommandParser("dragonfly try")
    parser.add_argument("target", help=argparse.SUPPRESS)
    assert parser.format_usage() == "usage: dragonfly try [-h] target\n"


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("peaches -b", "peaches"),
        ("peaches -b host -v", "peaches -v"),
        ("-b host peaches 1", "peaches 1"),
        ("--broker host peaches", "peaches"),
        ("--broker=host peaches", "peaches"),
        ("-bhost peaches", "peaches"),
        ("-vvb host peaches", "-vv peaches"),
        ("-vbhost -po peaches", "-v -po peaches"),
        ("-v -c x -k a -b host peaches 1", "-v -c x -k a -- peaches 1"),
        ("-c b -cb --config=b -k b -b -- x -b", "-c b -cb --config=b -k b -- x -b"),
        ("-b -- host peaches", "-- host peaches"),
        ("peaches -1 -b host -", "peaches -1 -"),
    ],
)
def test_an_option_is_left_out_in_whatever_form_it_stands_there(line, rest, parser):
    assert parser.without(line.split(), "-b") == rest.split()
    whole, without = vars(parser.parse(line.split())), vars(parser.parse(rest.split()))
    assert {**whole, "broker": None} == without

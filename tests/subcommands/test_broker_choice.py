"""Which broker a client talks to."""

from argparse import Namespace

import pytest

from dragonfly import completer
from dragonfly.cli import main
from dragonfly.subcommands import check
from dragonfly.subcommands.broker_choice import choose_broker, preferred_broker
from dragonfly.subcommands.exit_status import CommandError, Status


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text("name: my_store\nbroker: from_file\n")
    return str(path)


@pytest.mark.parametrize(
    ("option", "in_file", "environment", "broker"),
    [
        ("option", "file", "environment", "option"),
        ("", "file", "environment", ""),
        (None, "file", "environment", "file"),
        (None, ["one", "two"], "environment", ["one", "two"]),
        (None, "", "environment", ""),
        (None, None, "environment", "environment"),
        (None, None, "", None),
        (None, None, None, None),
    ],
)
def test_what_is_named_first_counts(option, in_file, environment, broker, monkeypatch):
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    if environment is not None:
        monkeypatch.setenv("DRAGONFLY_BROKER", environment)
    assert preferred_broker(option, in_file) == broker


@pytest.mark.parametrize("option", [None, "", "from_option"])
@pytest.mark.parametrize("line", ["", "broker: from_file", "broker: ''", "broker: [one, two]"])
def test_all_that_talk_to_a_broker_choose_the_same(option, line, tmp_path, monkeypatch):
    path = tmp_path / "service.yaml"
    path.write_text(f"name: my_store\n{line}\n")
    monkeypatch.setenv("DRAGONFLY_BROKER", "from_environment")
    args = Namespace(broker=option, config=str(path))
    chosen = choose_broker(args)
    good = []
    assert list(check._look_at(str(path), option, good)) == []
    assert good[0].broker == chosen
    assert completer._broker(args) == chosen


@pytest.mark.parametrize("environment", [None, "", "from_environment"])
def test_the_order_is_option_file_environment(environment, config, monkeypatch):
    monkeypatch.delenv("DRAGONFLY_BROKER", raising=False)
    if environment is not None:
        monkeypatch.setenv("DRAGONFLY_BROKER", environment)
    assert choose_broker(Namespace(broker="from_option", config=config)) == "from_option"
    assert choose_broker(Namespace(broker=None, config=config)) == "from_file"
    assert choose_broker(Namespace(broker=None, config=None)) == (environment or None)


def test_a_file_without_a_broker_leaves_the_choice_to_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "service.yaml"
    path.write_text("name: my_store\n")
    monkeypatch.setenv("DRAGONFLY_BROKER", "from_environment")
    assert choose_broker(Namespace(broker=None, config=str(path))) == "from_environment"


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path):
    with pytest.raises(CommandError) as failure:
        choose_broker(Namespace(broker=None, config=str(tmp_path / "none.yaml")))
    assert failure.value.status == Status.BAD_CONFIG
    assert "none.yaml" in failure.value.args[0]


def test_a_file_may_name_several_brokers(tmp_path, monkeypatch):
    path = tmp_path / "service.yaml"
    path.write_text("name: my_store\nbroker: [one, two]\n")
    assert choose_broker(Namespace(broker=None, config=str(path))) == ["one", "two"]


@pytest.mark.parametrize(
    "words", [["get", "peaches"], ["monitor"], ["serve", "-c", "CONFIG"]], ids=lambda words: words[0]
)
@pytest.mark.parametrize(
    ("user", "options", "sentence"),
    [
        ("me", [], "DRAGONFLY_USER is set and DRAGONFLY_PASSWORD is not: set both, or neither"),
        ("", ["--auth-file", "/none.json"], "there is no authentications file /none.json (--auth-file)"),
    ],
)
def test_who_we_are_must_be_said_without_contradiction(words, user, options, sentence, config, capsys, monkeypatch):
    for name in ("USER", "PASSWORD", "BROKER", "AUTH_FILE"):
        monkeypatch.delenv(f"DRAGONFLY_{name}", raising=False)
    monkeypatch.setenv("DRAGONFLY_USER", user)
    assert main([config if word == "CONFIG" else word for word in words] + options) == Status.BAD_CONFIG
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"-> {sentence}")

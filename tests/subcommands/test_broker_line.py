"""The broker of a config file without YAML: what YAML says, or nothing."""

from pathlib import Path

import pytest

from dragonfly.loader import ConfigError, read_broker
from dragonfly.subcommands.broker_line import UnclearError, broker_in_text

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
UNDERSTOOD = [
    "",
    "broker:",
    "broker: ~",
    "broker: null  # localhost",
    "broker:\nendpoints:\n  - {name: a}",
    "# broker: lab",
    "on_broker_lost: stop",
    "broker: lab",
    "broker: lab:5673  # ours",
    "broker:   'lab'",
    'broker : "amqp://me:a%2Cb@lab/v"',
    "broker: 192.168.1.7",
    "broker: one,two:5673",
    "broker: ''",
    "broker: lab\n\n# more\nkeys: 'a.#'",
    "broker: [localhost:5999]",
    "broker: [one, 'two:5673', \"three\",]  # in turn",
    "broker: [\n    one,\n    two\n  ]",
    "broker:\n  - one\n  # the other\n  - 'two:5673'  # here\n\nkeys: 'a.#'",
    "broker:\n- one\n- two",
    "broker: # in turn\n  - amqp://broker1.lab\n",
]
UNCLEAR = [
    "broker: &here lab",
    "broker: !!str lab",
    "broker: >-\n  lab",
    'broker: "l\\x61b"',
    "broker: lab\n  more",
    "broker: [one, [two]]",
    "broker:\n  - one\n  - - two",
    "broker:\n  one",
    "broker: 5672",
    "broker: [one, 5672]",
    "broker: on",
    "broker: my lab",
    "broker: lab\nbroker: other",
    "  broker: lab",
    "'broker': lab",
    "keys: {broker: lab}",
]


def written(tmp_path: Path, text: str, name: str = "name: lab\n") -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(name + text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_is_understood_is_what_yaml_says(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    assert broker_in_text(path.read_text(encoding="utf-8")) == read_broker(path)


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_written_in_another_way_is_not_guessed_at(text: str) -> None:
    with pytest.raises(UnclearError):
        broker_in_text(text)


def test_a_file_in_braces_is_not_guessed_at(tmp_path: Path) -> None:
    path = written(tmp_path, "{name: lab, broker: lab}", "")
    assert read_broker(path) == "lab"
    with pytest.raises(UnclearError):
        broker_in_text(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_understood(path: Path) -> None:
    assert broker_in_text(path.read_text(encoding="utf-8")) == read_broker(path)


def test_what_yaml_refuses_is_not_guessed_at_either(tmp_path: Path) -> None:
    path = written(tmp_path, "broker: [one, two")
    with pytest.raises(ConfigError):
        read_broker(path)
    with pytest.raises(UnclearError):
        broker_in_text(path.read_text(encoding="utf-8"))
